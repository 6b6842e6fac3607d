"""What goes on beside the tasks: when it begins, what brings it forward, that it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from eventually import eventually
from parts import Parts, work

from fastapi_taskflow_core.backends.base import Batch, Capabilities
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.backends.settings import SettingChange
from fastapi_taskflow_core.engine import upkeep
from fastapi_taskflow_core.engine.membership import Load, Membership
from fastapi_taskflow_core.engine.queue_limits import QueueLimits
from fastapi_taskflow_core.engine.retention import Retention
from fastapi_taskflow_core.engine.takeover import Takeover
from fastapi_taskflow_core.engine.turns import Turns
from fastapi_taskflow_core.engine.upkeep import Upkeep
from fastapi_taskflow_core.options import TaskOptions
from fastapi_taskflow_core.records import TaskRecord
from fastapi_taskflow_testkit.builders import ME, OTHER, a_task


class Telling(MemoryBackend):
    """Outlives its managers, and brings news when a test has some."""

    heard: Callable[[], object] | None = None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(survives_restart=True, shared=False)

    async def knock(self) -> None:
        """Nobody else listens."""

    async def listen(self, heard: Callable[[], object]) -> None:
        self.heard = heard
        await asyncio.get_running_loop().create_future()


class Setting(Parts):
    """The parts, and what runs beside them; claimed tasks are only collected."""

    def __init__(self, backend: MemoryBackend) -> None:
        super().__init__(backend)
        self.registry.register(work, TaskOptions())
        self.claimed: list[TaskRecord] = []
        self.turns = Turns({}, {"async": None})
        self.queue_limits = QueueLimits(self.store, self.turns)
        membership = Membership(
            self.store, ME, 15, self.surroundings, self.load, self.nothing, lambda ids: None
        )
        takeover = Takeover(
            self.store,
            self.registry,
            ME,
            3,
            self.claimed.extend,
            membership.trusted,
            self.patience,
        )
        self.upkeep = Upkeep(
            self.store,
            membership,
            takeover,
            self.queue_limits,
            Retention(self.store, self.clock),
            self.patience,
            lambda: 0.5,
            None,
        )

    def load(self) -> Load:
        """Idle."""
        return Load(0, 0, self.patience.over)

    def nothing(self) -> None:
        """Nobody is taken for dead."""

    async def leave_work(self) -> None:
        """A task waits for anyone."""
        await self.store.write(Batch(OTHER, inserts=[a_task(func_name="work", owner=None)]))

    async def has_claimed(self) -> bool:
        """Whether that task is here."""
        return len(self.claimed) == 1


@pytest.fixture
def backend() -> Telling:
    return Telling()


@pytest.fixture
async def setting(backend: Telling, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Setting]:
    """Started, with a first round made of everything and no other for an hour."""
    for interval in ("_SWEEP", "_PRUNE", "_LIMITS"):
        monkeypatch.setattr(upkeep, interval, 3600.0)
    setting = Setting(backend)
    await setting.store.open()
    await setting.upkeep.start()
    await settle()
    yield setting
    await setting.upkeep.stop()


async def settle() -> None:
    """Let everything come to rest."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_waits_for_anyone_is_claimed_at_the_start(backend: Telling) -> None:
    setting = Setting(backend)
    await setting.store.open()
    await setting.leave_work()
    await setting.upkeep.start()
    await eventually(setting.has_claimed)
    await setting.upkeep.stop()


async def test_news_bring_the_next_claim_and_the_limits_of_others_forward(
    setting: Setting, backend: Telling
) -> None:
    await setting.leave_work()
    limits = '{"concurrency": 3, "max_size": null, "paused": false}'
    await setting.store.change_setting(SettingChange("queue:default", limits))
    await settle()
    assert (setting.claimed, setting.turns.queue("default").stats().concurrency) == ([], None)
    assert backend.heard is not None
    backend.heard()
    await settle()
    assert await setting.has_claimed()
    assert setting.turns.queue("default").stats().concurrency == 3


async def test_limits_that_changed_here_are_stored_when_that_is_asked_for(
    setting: Setting,
) -> None:
    setting.queue_limits.change("default", concurrency=3)
    setting.upkeep.share_limits()
    await settle()
    assert list(await setting.store.settings("queue:")) == ["queue:default"]


async def test_a_sweep_that_is_asked_for_comes_at_once(setting: Setting) -> None:
    await setting.leave_work()
    await setting.upkeep.sweep_now()
    await settle()
    assert await setting.has_claimed()


async def test_in_memory_nothing_is_swept_but_when_it_is_asked_for() -> None:
    setting = Setting(MemoryBackend())
    await setting.store.open()
    await setting.leave_work()
    await setting.upkeep.start()
    await settle()
    assert setting.claimed == []
    await setting.upkeep.sweep_now()
    await settle()
    assert await setting.has_claimed()
    await setting.upkeep.stop()


async def test_once_the_engine_drains_nothing_more_is_claimed(setting: Setting) -> None:
    setting.patience.end()
    await setting.upkeep.stop()
    await setting.leave_work()
    await setting.upkeep.sweep_now()
    await settle()
    assert setting.claimed == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_after_a_stop_nothing_runs_any_more(setting: Setting) -> None:
    assert len(asyncio.all_tasks()) > 1
    await setting.upkeep.stop()
    await setting.upkeep.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_was_never_started_can_be_stopped(backend: Telling) -> None:
    await Setting(backend).upkeep.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}
