"""Around any backend: what happens before it is open, and while it is away.

A backend contains storage and nothing else; that it is opened late, opened again, and
that its absence is one kind of error, is here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from enum import Enum, auto
from itertools import chain
from typing import TypeVar

from ..errors import BackendError, BackendUnavailable
from ..records import LogEntry, TaskRecord, TaskStatus
from ..rollups import RollupKey, RollupValue
from .audit import AuditEntry, AuditQuery
from .base import (
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
from .memory import MemoryBackend
from .news import NewsStore
from .scheduling import Later, Slot, Turn
from .settings import Setting, SettingChange

logger = logging.getLogger(__name__)
T = TypeVar("T")

_KNOCK = 1.0
"""Seconds that telling others may take: what was done is done without it."""


class Door(Enum):
    """Whether the backend can be used."""

    NEVER_OPENED = auto()
    OPEN = auto()
    AWAY = auto()
    CLOSED = auto()


class GuardedBackend:
    """The backend as the rest of the package sees it.

    Before `open` everything goes to memory, so that an application which was never started,
    as in a unit test, still works. If the backend is away when it is opened, it is opened by
    the first operation that finds it back.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._standin = backend if not backend.capabilities.survives_restart else MemoryBackend()
        self._news = backend if isinstance(backend, NewsStore) else None
        self._door = Door.NEVER_OPENED
        self._opening = asyncio.Lock()

    @property
    def capabilities(self) -> Capabilities:
        """Those of the backend."""
        return self._backend.capabilities

    @property
    def available(self) -> bool:
        """Whether operations have a chance."""
        return self._door is not Door.AWAY

    def another(self) -> Backend:
        """A further backend for the same data, with connections of its own, not open yet."""
        return self._backend.another()

    async def open(self) -> None:
        """Open the backend; one that is not reachable is opened later.

        Raises:
            BackendMisconfigured: It will not work until someone changes something.
        """
        self._opening = asyncio.Lock()
        try:
            await self._backend.open()
            self._door = Door.OPEN
        except BackendUnavailable as error:
            self._door = Door.AWAY
            logger.warning("the task storage is not reachable, going on without it: %s", error)

    async def close(self) -> None:
        """Close the backend."""
        if self._door is not Door.NEVER_OPENED:
            self._door = Door.CLOSED
            await self._backend.close()

    async def _use(self, operation: Callable[[Backend], Awaitable[T]]) -> T:
        if self._door is Door.OPEN:
            return await operation(self._backend)
        if self._door is Door.NEVER_OPENED:
            return await operation(self._standin)
        if self._door is Door.CLOSED:
            raise BackendUnavailable("the task storage is closed: the application has stopped")
        async with self._opening:
            if self._door is Door.AWAY:
                try:
                    await self._backend.open()
                except BackendUnavailable:
                    raise
                except BackendError as error:
                    raise BackendUnavailable(str(error)) from error
                self._door = Door.OPEN
        return await operation(self._backend)

    @property
    def tells(self) -> bool:
        """Whether other instances can be heard."""
        return self._news is not None

    async def listen(self, heard: Callable[[], object]) -> None:
        """See `NewsStore.listen`."""
        if self._news is None or self._door is not Door.OPEN:
            raise BackendUnavailable("the task storage tells of nothing")
        await self._news.listen(heard)

    async def _tell(self) -> None:
        """Others may want to know at once what was just done; if they do not, they will soon."""
        if self._news is not None and self._door is Door.OPEN:
            with suppress(BackendError, TimeoutError):
                async with asyncio.timeout(_KNOCK):
                    await self._news.knock()

    async def write(self, batch: Batch) -> Written:
        """See `TaskStore.write`."""
        written = await self._use(lambda backend: backend.write(batch))
        if self._news is not None and any(map(_is_anybodys, chain(batch.inserts, batch.updates))):
            await self._tell()
        return written

    async def claim(self, wanted: Claim) -> Sequence[TaskRecord]:
        """See `TaskStore.claim`."""
        return await self._use(lambda backend: backend.claim(wanted))

    async def beat(self, beat: Beat) -> Pulse:
        """See `TaskStore.beat`."""
        return await self._use(lambda backend: backend.beat(beat))

    async def leave(self, instance: str) -> None:
        """See `TaskStore.leave`."""
        await self._use(lambda backend: backend.leave(instance))

    async def request_cancel(self, task_id: str, now: datetime) -> TaskRecord | None:
        """See `TaskStore.request_cancel`."""
        task = await self._use(lambda backend: backend.request_cancel(task_id, now))
        await self._tell()
        return task

    async def replace_payloads(self, changes: Sequence[PayloadChange]) -> int:
        """See `TaskStore.replace_payloads`."""
        return await self._use(lambda backend: backend.replace_payloads(changes))

    async def delete(self, before: datetime, limit: int) -> int:
        """See `TaskStore.delete`."""
        return await self._use(lambda backend: backend.delete(before, limit))

    async def get(self, task_id: str) -> TaskRecord | None:
        """See `TaskReader.get`."""
        return await self._use(lambda backend: backend.get(task_id))

    async def query(self, query: Query) -> Page:
        """See `TaskReader.query`."""
        return await self._use(lambda backend: backend.query(query))

    async def logs(
        self, task_id: str, after: int = 0, limit: int = 200, *, latest: bool = False
    ) -> Sequence[LogEntry]:
        """See `TaskReader.logs`."""
        return await self._use(lambda backend: backend.logs(task_id, after, limit, latest=latest))

    async def rollups(self, query: RollupQuery) -> Mapping[RollupKey, RollupValue]:
        """See `TaskReader.rollups`."""
        return await self._use(lambda backend: backend.rollups(query))

    async def unfinished(self) -> Mapping[Unfinished, int]:
        """See `TaskReader.unfinished`."""
        return await self._use(lambda backend: backend.unfinished())

    async def instances(self) -> Sequence[InstanceInfo]:
        """See `TaskReader.instances`."""
        return await self._use(lambda backend: backend.instances())

    async def fire(self, slot: Slot, task: TaskRecord | None = None) -> bool:
        """See `ScheduleStore.fire`."""
        return await self._use(lambda backend: backend.fire(slot, task))

    async def slots(self, schedule: str, limit: int = 20) -> Sequence[Slot]:
        """See `ScheduleStore.slots`."""
        return await self._use(lambda backend: backend.slots(schedule, limit))

    async def put_later(self, run_key: str, task: TaskRecord, now: datetime) -> str | None:
        """See `ScheduleStore.put_later`."""
        replaced = await self._use(lambda backend: backend.put_later(run_key, task, now))
        await self._tell()
        return replaced

    async def drop_later(self, run_key: str, now: datetime) -> TaskRecord | None:
        """See `ScheduleStore.drop_later`."""
        return await self._use(lambda backend: backend.drop_later(run_key, now))

    async def later(
        self, before: datetime | None = None, limit: int = 200, after: Turn | None = None
    ) -> Sequence[Later]:
        """See `ScheduleStore.later`."""
        return await self._use(lambda backend: backend.later(before, limit, after))

    async def change_setting(self, change: SettingChange) -> bool:
        """See `SettingStore.change_setting`."""
        changed = await self._use(lambda backend: backend.change_setting(change))
        if changed:
            await self._tell()
        return changed

    async def settings(self, prefix: str = "") -> Mapping[str, Setting]:
        """See `SettingStore.settings`."""
        return await self._use(lambda backend: backend.settings(prefix))

    async def note(self, entry: AuditEntry) -> None:
        """See `AuditStore.note`."""
        await self._use(lambda backend: backend.note(entry))

    async def audit(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """See `AuditStore.audit`."""
        return await self._use(lambda backend: backend.audit(query))


def _is_anybodys(task: TaskRecord) -> bool:
    return task.owner is None and task.status is TaskStatus.PENDING
