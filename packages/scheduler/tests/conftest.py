"""A manager on a clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from fastapi_taskflow_core import QueueConfig, TaskManager, TaskRecord
from fastapi_taskflow_core.backends.base import Capabilities, Query
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.backends.scheduling import Slot
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.surroundings import Surroundings
from fastapi_taskflow_testkit import VirtualClock


class Storage(MemoryBackend):
    """Outlives the managers that use it; ``away`` makes its schedules unreachable.

    ``shared`` storage has a clock of its own, that of the world, which managers go by.
    """

    away = False
    shared = False
    fired = 0
    broken: frozenset[str] = frozenset()
    """Schedules whose slots raise what no backend should."""

    @property
    def capabilities(self) -> Capabilities:
        """Those of a database, of one process unless it is shared."""
        return Capabilities(survives_restart=True, shared=self.shared)

    async def fire(self, slot: Slot, task: TaskRecord | None = None) -> bool:
        """See `ScheduleStore.fire`."""
        self.fired += 1
        if self.away:
            raise BackendUnavailable("the disk is gone")
        if slot.schedule in self.broken:
            raise ZeroDivisionError
        return await super().fire(slot, task)


@dataclass
class World:
    """The clock, the storage, and the managers that share both."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    managers: list[TaskManager] = field(default_factory=list)
    runs: list[datetime] = field(default_factory=list)
    """When the scheduled function ran."""

    def __post_init__(self) -> None:
        self.storage = Storage(clock=self.clock)

    def manager(self, clock: VirtualClock | None = None) -> TaskManager:
        """One more manager, not started; on the common clock unless it has its own."""
        manager = TaskManager(
            snapshot_backend=self.storage,
            surroundings=Surroundings(clock or self.clock),
            # Heartbeats come in real time, and here hours go by at once.
            lease=100_000,
            drain_timeout=0.1,
            queues={"mail": QueueConfig()},
        )
        self.managers.append(manager)
        return manager

    async def started(self, **options: Any) -> TaskManager:
        """One more manager, started, with a schedule ``tick`` that notes when it ran."""
        manager = self.manager()

        @manager.schedule(name="tick", **options)
        async def tick() -> None:
            self.runs.append(self.clock.now())

        await manager.startup()
        await settle()
        return manager

    async def passes(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, step by step, and let everybody do what is to be done at each."""
        while seconds > 0:
            self.clock.advance(min(step, seconds))
            seconds -= step
            await settle()

    async def slots(self) -> list[tuple[str, str]]:
        """Time of day and outcome of each settled slot of ``tick``, the oldest first."""
        slots = await self.storage.slots("tick", 10_000)
        return [(f"{slot.at:%H:%M:%S}", str(slot.outcome)) for slot in reversed(slots)]

    async def tasks(self) -> Sequence[TaskRecord]:
        """Every task, the oldest first."""
        return list(reversed((await self.storage.query(Query(limit=1_000))).tasks))

    def times(self) -> list[str]:
        """The times of day at which ``tick`` ran."""
        return [f"{at:%H:%M:%S}" for at in self.runs]


async def settle() -> None:
    """Let the event loop turn until whatever could happen now has happened."""
    for _ in range(60):
        await asyncio.sleep(0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Noon, and nobody there yet."""
    world = World()
    yield world
    world.storage.away = False
    for manager in world.managers:
        await manager.shutdown()
