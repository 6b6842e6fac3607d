"""Settles slots in the backend, and makes their tasks through the one door of the core."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from fastapi_taskflow_core.backends.base import Batch, Query
from fastapi_taskflow_core.backends.guarded import GuardedBackend
from fastapi_taskflow_core.backends.scheduling import Slot, SlotOutcome
from fastapi_taskflow_core.dispatch import NewTask
from fastapi_taskflow_core.options import NO_OPTIONS, CallOptions
from fastapi_taskflow_core.records import TaskStatus
from fastapi_taskflow_core.schedules import Runtime

from .schedule import Schedule


class Settled(Enum):
    """What an attempt to settle a slot came to."""

    DONE = auto()
    """By this instance or another."""
    EARLY = auto()
    """By the backend's clock it is not yet time."""
    BUSY = auto()
    """The run before is not over, and the slot waits for that."""


class Settler:
    """Settles slots, one at a time."""

    def __init__(self, store: GuardedBackend) -> None:
        self._store = store

    async def settle(
        self, runtime: Runtime, schedule: Schedule, at: datetime, outcome: SlotOutcome
    ) -> Settled:
        """Let *outcome* become of the slot, unless another instance was first."""
        overlap = schedule.options.overlap
        if outcome is SlotOutcome.FIRED and overlap != "allow" and await self._busy(schedule):
            if overlap == "queue" and not await self._is_settled(schedule, at):
                return Settled.BUSY
            outcome = SlotOutcome.OVERLAPPED
        if outcome is not SlotOutcome.FIRED:
            made = await self._store.fire(Slot(schedule.name, at, outcome))
        else:
            slot = CallOptions(tags={"slot": at.isoformat()})
            task = runtime.for_anyone(NewTask(schedule.function, options=slot, source="scheduled"))
            made = await self._store.fire(Slot(schedule.name, at, outcome, task.task_id), task)
            if made:
                await runtime.sweep_now()
        return Settled.DONE if made or await self._is_settled(schedule, at) else Settled.EARLY

    async def run(self, runtime: Runtime, schedule: Schedule) -> str:
        """Run the schedule's function outside its slots; returns the task's id."""
        task = runtime.for_anyone(
            NewTask(schedule.function, options=NO_OPTIONS, source="scheduled")
        )
        await self._store.write(Batch(runtime.instance, inserts=[task]))
        await runtime.sweep_now()
        return task.task_id

    async def newest(self, schedule: Schedule) -> datetime | None:
        """The newest slot that is settled, None if none is."""
        slots = await self._store.slots(schedule.name, 1)
        return slots[0].at if slots else None

    async def _is_settled(self, schedule: Schedule, at: datetime) -> bool:
        # The backend refuses future slots, so one settled later than this means this is not one.
        newest = await self.newest(schedule)
        return newest is not None and newest >= at

    async def _busy(self, schedule: Schedule) -> bool:
        """Whether a scheduled run of the function is not over: one that waits for a retry too."""
        running = Query(
            statuses=frozenset({TaskStatus.RUNNING}),
            func_name=schedule.name,
            source="scheduled",
            limit=1,
        )
        if (await self._store.query(running)).tasks:
            return True
        for slot in await self._store.slots(schedule.name):
            if slot.task_id is not None:
                task = await self._store.get(slot.task_id)
                return task is not None and not task.status.finished
        return False
