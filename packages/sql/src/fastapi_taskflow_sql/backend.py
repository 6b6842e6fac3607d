"""The backend contract over any SQL database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from fastapi_taskflow_core.backends.audit import AuditEntry, AuditQuery
from fastapi_taskflow_core.backends.base import (
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
from fastapi_taskflow_core.backends.presence import Presence
from fastapi_taskflow_core.backends.scheduling import Later, Slot, Turn
from fastapi_taskflow_core.backends.settings import Setting, SettingChange
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.records import UNFINISHED, LogEntry, TaskRecord, TaskStatus
from fastapi_taskflow_core.rollups import RollupKey, RollupValue

from . import statements
from .batches import Batches
from .claims import Claims
from .connection import Clock, Connection, Connections, Contended
from .instances import Instances
from .pages import Pages
from .rows import from_row
from .settings import Settings
from .statements import Statements
from .tasks import Tasks
from .timetable import Timetable
from .trail import Trail

_LOOKS = 5
T = TypeVar("T")


class SqlBackend:
    """Storage for tasks in an SQL database: the contract, given connections and a clock."""

    def __init__(
        self,
        sql: Statements,
        connections: Connections,
        clock: Clock,
        presence: Presence,
        capabilities: Capabilities,
    ) -> None:
        self._sql = sql
        self._connections = connections
        self._presence = presence
        self._capabilities = capabilities
        self._tasks = Tasks(sql)
        self._batches = Batches(sql, self._tasks)
        self._instances = Instances(sql, clock, presence)
        self._claims = Claims(sql, clock, self._tasks, self._instances)
        self._pages = Pages(sql)
        self._timetable = Timetable(sql, clock, self._tasks)
        self._settings = Settings(sql, clock)
        self._trail = Trail(sql)

    @property
    def capabilities(self) -> Capabilities:
        """What this backend can do beyond the contract."""
        return self._capabilities

    async def open(self) -> None:
        """Connect, create or migrate what is stored. Twice is once."""
        await self._connections.open()

    async def close(self) -> None:
        """Let go of every connection. Safe before ``open`` and twice."""
        await self._connections.close()
        self._presence.release_all()

    async def write(self, batch: Batch) -> Written:
        """Apply *batch* in one transaction."""
        hasty = partial(self._batches.write, batch=batch, look=False)
        careful = partial(self._batches.write, batch=batch, look=True)
        try:
            return await self._connections.write(hasty, durable=batch.durable)
        except Contended:
            return await self._insist(careful, durable=batch.durable)

    async def claim(self, wanted: Claim) -> Sequence[TaskRecord]:
        """Give the caller due tasks, after burying what is dead."""
        work = partial(self._claims.claim, wanted=wanted)
        claimed = await self._connections.write(work, durable=False)
        # Not before it is on record: until then the files say it, to others too.
        for instance in claimed.buried:
            self._presence.forget(instance)
        return claimed.tasks

    async def beat(self, beat: Beat) -> Pulse:
        """Note that the instance lives."""
        work = partial(self._instances.beat, beat=beat)
        return await self._connections.write(work, durable=False)

    async def leave(self, instance: str) -> None:
        """Forget the instance."""
        work = partial(self._instances.leave, instance=instance)
        await self._connections.write(work, durable=False)

    async def request_cancel(self, task_id: str, now: datetime) -> TaskRecord | None:
        """Cancel a waiting task that is nobody's, flag another unfinished one."""
        return await self._connections.write(partial(self._tasks.cancel, task_id=task_id, now=now))

    async def replace_payloads(self, changes: Sequence[PayloadChange]) -> int:
        """Store other bytes for the arguments of tasks."""
        work = partial(self._tasks.replace_payloads, changes=changes)
        return await self._connections.write(work)

    async def delete(self, before: datetime, limit: int) -> int:
        """Remove at most *limit* tasks that finished before then, oldest first."""
        work = partial(self._tasks.delete, before=before, limit=limit)
        return await self._connections.write(work, durable=False)

    async def get(self, task_id: str) -> TaskRecord | None:
        """The task, or the one this id is an alias of."""
        row = await self._connections.read(partial(self._tasks.find, task_id=task_id))
        return None if row is None else from_row(row)

    async def query(self, query: Query) -> Page:
        """One page of tasks."""
        return await self._connections.read(partial(self._pages.page, query=query))

    async def logs(
        self, task_id: str, after: int = 0, limit: int = 200, *, latest: bool = False
    ) -> Sequence[LogEntry]:
        """Log lines with ``seq > after``, in order: the first, or the last."""
        return await self._connections.read(
            partial(self._tasks.logs, task_id=task_id, after=after, limit=limit, latest=latest)
        )

    async def rollups(self, query: RollupQuery) -> Mapping[RollupKey, RollupValue]:
        """Counters, summed per step."""
        return await self._connections.read(partial(self._tasks.counters.read, query=query))

    async def unfinished(self) -> Mapping[Unfinished, int]:
        """How many tasks wait and run."""
        return await self._connections.read(self._count_unfinished)

    async def instances(self) -> Sequence[InstanceInfo]:
        """Every instance that is not buried."""
        return await self._connections.read(self._instances.known)

    async def fire(self, slot: Slot, task: TaskRecord | None = None) -> bool:
        """Settle a slot, and store its task."""
        return await self._connections.write(partial(self._timetable.fire, slot=slot, task=task))

    async def slots(self, schedule: str, limit: int = 20) -> Sequence[Slot]:
        """The slots settled last, newest first."""
        work = partial(self._timetable.slots, schedule=schedule, limit=limit)
        return await self._connections.read(work)

    async def put_later(self, run_key: str, task: TaskRecord, now: datetime) -> str | None:
        """Store a task under a key, in place of the one that waits there."""
        work = partial(self._timetable.put, run_key=run_key, task=task, now=now)
        return await self._connections.write(work)

    async def drop_later(self, run_key: str, now: datetime) -> TaskRecord | None:
        """Cancel the task that waits under a key."""
        work = partial(self._timetable.drop, run_key=run_key, now=now)
        return await self._connections.write(work)

    async def later(
        self, before: datetime | None = None, limit: int = 200, after: Turn | None = None
    ) -> Sequence[Later]:
        """Tasks that wait under a key, the soonest first."""
        work = partial(self._timetable.later, before=before, limit=limit, after=after)
        return await self._connections.read(work)

    async def change_setting(self, change: SettingChange) -> bool:
        """Make the change if the version is as it says."""
        return await self._insist(partial(self._settings.change, change=change))

    async def settings(self, prefix: str = "") -> Mapping[str, Setting]:
        """Every setting whose name begins with *prefix*."""
        return await self._connections.read(partial(self._settings.read, prefix=prefix))

    async def note(self, entry: AuditEntry) -> None:
        """Append an entry to the audit trail."""
        await self._connections.write(partial(self._trail.note, entry=entry))

    async def audit(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """Entries of the audit trail, newest first."""
        return await self._connections.read(partial(self._trail.read, query=query))

    async def _insist(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        for _ in range(_LOOKS):
            try:
                return await self._connections.write(work, durable=durable)
            except Contended:
                continue
        raise BackendUnavailable("others keep changing the same rows")

    def _count_unfinished(self, connection: Connection) -> dict[Unfinished, int]:
        rows = connection.fetch(self._sql.render(statements.UNFINISHED_COUNTS))
        return {
            Unfinished(func_name, queue, TaskStatus(status)): n
            for func_name, queue, status, n in rows
            if status in UNFINISHED  # others are damaged
        }
