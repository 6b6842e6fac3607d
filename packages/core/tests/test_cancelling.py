"""Which way a cancellation goes: a timer, a running attempt, the backend, another instance."""

from __future__ import annotations

import pytest
from parts import Parts

from fastapi_taskflow_core import TaskNotFound, TaskRecord, TaskStateError, TaskStatus
from fastapi_taskflow_core.backends.base import Batch
from fastapi_taskflow_core.engine.cancelling import Cancelling
from fastapi_taskflow_core.engine.live import LiveTask, StopReason
from fastapi_taskflow_testkit.builders import OTHER, a_task


class Setting(Parts):
    """The parts, and one that cancels."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelling = Cancelling(
            self.store, self.live, self.journal, self.ledger, self.delays, self.clock, within=5
        )

    async def stored(self, task_id: str) -> TaskRecord:
        """The task as the backend has it."""
        await self.journal.flush()
        task = await self.store.get(task_id)
        assert task is not None
        return task


@pytest.fixture
async def setting() -> Setting:
    return Setting()


async def test_a_task_that_is_put_off_never_comes(setting: Setting) -> None:
    came: list[LiveTask] = []
    task = setting.waiting()
    setting.delays.put_off(task, 5, came.append)
    assert (await setting.cancelling.cancel(task.record.task_id)).status == "cancelled"
    setting.clock.advance(5)
    assert (came, len(setting.live)) == ([], 0)


async def test_an_attempt_is_told_once_and_its_task_is_marked(setting: Setting) -> None:
    told: list[str] = []
    task = setting.running()
    await setting.journal.flush()
    task.interrupt = lambda: told.append("end")
    for _ in range(2):
        marked = await setting.cancelling.cancel(task.record.task_id)
        assert (marked.status, marked.cancel_requested) == ("running", True)
    assert (told, task.stop_reason) == (["end"], StopReason.CANCELLED)
    assert (await setting.stored(task.record.task_id)).cancel_requested


async def test_the_answer_does_not_change_any_more(setting: Setting) -> None:
    task = setting.running()
    marked = await setting.cancelling.cancel(task.record.task_id)
    setting.setbacks.fail(task, ValueError())
    assert marked.status == "running"


async def test_a_task_of_another_instance_is_asked_for_in_the_backend(setting: Setting) -> None:
    theirs = a_task(owner=OTHER, persist=True)
    await setting.store.write(Batch(OTHER, inserts=[theirs]))
    asked = await setting.cancelling.cancel(theirs.task_id)
    assert (asked.task_id, asked.cancel_requested) == (theirs.task_id, True)
    assert (await setting.stored(theirs.task_id)).cancel_requested


async def test_an_alias_cancels_the_task_here_that_holds_the_key(setting: Setting) -> None:
    holder = setting.waiting(idempotency_key="key")
    await setting.journal.flush()
    alias = a_task(owner=OTHER, idempotency_key="key")
    await setting.store.write(Batch(OTHER, inserts=[alias]))
    cancelled = await setting.cancelling.cancel(alias.task_id)
    assert (cancelled.task_id, cancelled.status) == (holder.record.task_id, "cancelled")
    assert len(setting.live) == 0


async def test_what_is_over_or_unknown_cannot_be_cancelled(setting: Setting) -> None:
    task = setting.running()
    setting.setbacks.fail(task, ValueError())
    with pytest.raises(TaskStateError, match="cannot cancel .* failed"):
        await setting.cancelling.cancel(task.record.task_id)
    with pytest.raises(TaskNotFound, match="gone"):
        await setting.cancelling.cancel("gone")


async def test_what_other_instances_ask_for_is_done_to_the_tasks_that_are_here(
    setting: Setting,
) -> None:
    waits, runs, left_alone = setting.waiting(), setting.running(), setting.waiting()
    setting.cancelling.asked([waits.record.task_id, "over by now", runs.record.task_id])
    assert (waits.record.status, runs.stop_reason) == (TaskStatus.CANCELLED, StopReason.CANCELLED)
    assert list(setting.live) == [runs, left_alone]
    assert left_alone.record.status is TaskStatus.PENDING
