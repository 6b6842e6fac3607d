"""A backend that stands in the weather."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from fastapi_taskflow_core.backends.audit import AuditEntry, AuditQuery
from fastapi_taskflow_core.backends.base import (
    Backend,
    Batch,
    Beat,
    Capabilities,
    Claim,
    InstanceInfo,
    Page,
    PayloadChange,
    Pulse,
    Query,
    RollupQuery,
    Unfinished,
    Written,
)
from fastapi_taskflow_core.backends.scheduling import Later, Slot, Turn
from fastapi_taskflow_core.backends.settings import Setting, SettingChange
from fastapi_taskflow_core.records import LogEntry, TaskRecord
from fastapi_taskflow_core.rollups import RollupKey, RollupValue

from .weather import Operation, Weather

T = TypeVar("T")


class ExposedBackend:
    """Any backend, with each operation under a `Weather` that all its connections share.

    Records in a batch are handed over as copies, so that one written twice is the same twice.

    Args:
        backend: The backend.
        weather: What its operations meet.
    """

    def __init__(self, backend: Backend, weather: Weather) -> None:
        self.weather = weather
        self._backend = backend

    @property
    def capabilities(self) -> Capabilities:
        """Those of the backend."""
        return self._backend.capabilities

    def another(self) -> Backend:
        """A further one, in the same weather."""
        return ExposedBackend(self._backend.another(), self.weather)

    async def close(self) -> None:
        """See `TaskStore.close`; in any weather."""
        await self._backend.close()

    async def open(self) -> None:
        """See `TaskStore.open`."""
        await self._meet("open", None, self._backend.open)

    async def write(self, batch: Batch) -> Written:
        """See `TaskStore.write`."""
        return await self._meet("write", batch, lambda: self._backend.write(_copied(batch)))

    async def claim(self, wanted: Claim) -> Sequence[TaskRecord]:
        """See `TaskStore.claim`."""
        return await self._meet("claim", wanted, lambda: self._backend.claim(wanted))

    async def beat(self, beat: Beat) -> Pulse:
        """See `TaskStore.beat`."""
        return await self._meet("beat", beat, lambda: self._backend.beat(beat))

    async def leave(self, instance: str) -> None:
        """See `TaskStore.leave`."""
        await self._meet("leave", instance, lambda: self._backend.leave(instance))

    async def request_cancel(self, task_id: str, now: datetime) -> TaskRecord | None:
        """See `TaskStore.request_cancel`."""
        return await self._meet(
            "request_cancel", task_id, lambda: self._backend.request_cancel(task_id, now)
        )

    async def replace_payloads(self, changes: Sequence[PayloadChange]) -> int:
        """See `TaskStore.replace_payloads`."""
        return await self._meet(
            "replace_payloads", changes, lambda: self._backend.replace_payloads(changes)
        )

    async def delete(self, before: datetime, limit: int) -> int:
        """See `TaskStore.delete`."""
        return await self._meet("delete", before, lambda: self._backend.delete(before, limit))

    async def get(self, task_id: str) -> TaskRecord | None:
        """See `TaskReader.get`."""
        return await self._meet("get", task_id, lambda: self._backend.get(task_id))

    async def query(self, query: Query) -> Page:
        """See `TaskReader.query`."""
        return await self._meet("query", query, lambda: self._backend.query(query))

    async def logs(
        self, task_id: str, after: int = 0, limit: int = 200, *, latest: bool = False
    ) -> Sequence[LogEntry]:
        """See `TaskReader.logs`."""
        return await self._meet(
            "logs", task_id, lambda: self._backend.logs(task_id, after, limit, latest=latest)
        )

    async def rollups(self, query: RollupQuery) -> Mapping[RollupKey, RollupValue]:
        """See `TaskReader.rollups`."""
        return await self._meet("rollups", query, lambda: self._backend.rollups(query))

    async def unfinished(self) -> Mapping[Unfinished, int]:
        """See `TaskReader.unfinished`."""
        return await self._meet("unfinished", None, self._backend.unfinished)

    async def instances(self) -> Sequence[InstanceInfo]:
        """See `TaskReader.instances`."""
        return await self._meet("instances", None, self._backend.instances)

    async def fire(self, slot: Slot, task: TaskRecord | None = None) -> bool:
        """See `ScheduleStore.fire`."""
        return await self._meet("fire", slot, lambda: self._backend.fire(slot, task))

    async def slots(self, schedule: str, limit: int = 20) -> Sequence[Slot]:
        """See `ScheduleStore.slots`."""
        return await self._meet("slots", schedule, lambda: self._backend.slots(schedule, limit))

    async def put_later(self, run_key: str, task: TaskRecord, now: datetime) -> str | None:
        """See `ScheduleStore.put_later`."""
        return await self._meet(
            "put_later", run_key, lambda: self._backend.put_later(run_key, task, now)
        )

    async def drop_later(self, run_key: str, now: datetime) -> TaskRecord | None:
        """See `ScheduleStore.drop_later`."""
        return await self._meet(
            "drop_later", run_key, lambda: self._backend.drop_later(run_key, now)
        )

    async def later(
        self, before: datetime | None = None, limit: int = 200, after: Turn | None = None
    ) -> Sequence[Later]:
        """See `ScheduleStore.later`."""
        return await self._meet("later", before, lambda: self._backend.later(before, limit, after))

    async def change_setting(self, change: SettingChange) -> bool:
        """See `SettingStore.change_setting`."""
        return await self._meet(
            "change_setting", change, lambda: self._backend.change_setting(change)
        )

    async def settings(self, prefix: str = "") -> Mapping[str, Setting]:
        """See `SettingStore.settings`."""
        return await self._meet("settings", prefix, lambda: self._backend.settings(prefix))

    async def note(self, entry: AuditEntry) -> None:
        """See `AuditStore.note`."""
        await self._meet("note", entry, lambda: self._backend.note(entry))

    async def audit(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """See `AuditStore.audit`."""
        return await self._meet("audit", query, lambda: self._backend.audit(query))

    async def _meet(self, name: str, argument: object, call: Callable[[], Awaitable[T]]) -> T:
        fault = self.weather.over(Operation(name, argument))
        if fault is None:
            return await call()
        answer: T = await fault(call)
        return answer


def _copied(batch: Batch) -> Batch:
    return Batch(
        batch.instance,
        [task.copy() for task in batch.inserts],
        [task.copy() for task in batch.updates],
        batch.logs,
        [task.copy() for task in batch.withdrawn],
        batch.durable,
    )
