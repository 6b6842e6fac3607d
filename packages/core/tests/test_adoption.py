"""What was claimed is live here and runs, or goes back if this instance stops."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from parts import Parts, work

from fastapi_taskflow_core import TaskRecord
from fastapi_taskflow_core.backends.base import Batch, Claim, Written
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.engine.adoption import Adoption
from fastapi_taskflow_core.engine.live import LiveTask
from fastapi_taskflow_core.options import TaskOptions
from fastapi_taskflow_testkit.builders import ME, a_task


class Noting(MemoryBackend):
    """Notes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Batch] = []

    async def write(self, batch: Batch) -> Written:
        self.batches.append(batch)
        return await super().write(batch)


class Setting(Parts):
    """The parts, and one that takes claimed tasks in."""

    def __init__(self) -> None:
        self.backend = Noting()
        super().__init__(self.backend)
        self.begun: list[LiveTask] = []
        self.registry.register(work, TaskOptions())
        self.adoption = Adoption(
            self.registry,
            self.journal,
            self.ledger,
            self.setbacks,
            self.patience,
            self.begun.append,
        )

    async def claimed(self, **changes: object) -> Sequence[TaskRecord]:
        """A task that waited for anyone and was given to this instance."""
        waits = a_task(func_name="work", owner=None, persist=True, **changes)
        await self.store.write(Batch(ME, inserts=[waits]))
        return await self.store.claim(Claim(ME, frozenset({"work"})))


@pytest.fixture
async def setting() -> Setting:
    return Setting()


async def test_it_is_live_and_begins_without_being_confirmed_again(setting: Setting) -> None:
    (record,) = claimed = await setting.claimed()
    setting.adoption.take(claimed)
    (task,) = setting.live
    assert setting.begun == [task]
    assert (task.record, task.confirmed, task.arguments) == (record, True, None)


async def test_it_runs_where_its_function_runs_now(setting: Setting) -> None:
    setting.adoption.take(await setting.claimed(executor="process"))
    assert [task.record.executor for task in setting.begun] == ["thread"]


async def test_what_happens_to_it_is_a_change_of_what_the_backend_has(setting: Setting) -> None:
    (record,) = claimed = await setting.claimed()
    setting.adoption.take(claimed)
    setting.setbacks.give_away(setting.begun[0])
    await setting.journal.flush()
    batch = setting.backend.batches[-1]
    assert ([task.task_id for task in batch.updates], batch.inserts) == ([record.task_id], [])


async def test_once_the_engine_drains_it_is_given_away_again(setting: Setting) -> None:
    claimed = await setting.claimed()
    setting.patience.end()
    setting.adoption.take(claimed)
    assert (setting.begun, len(setting.live)) == ([], 0)
    assert claimed[0].owner is None
