"""Tasks in Redis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi_taskflow_core import checks
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
from fastapi_taskflow_core.backends.forms import micros
from fastapi_taskflow_core.backends.presence import presence_on_host
from fastapi_taskflow_core.backends.scheduling import Later, Slot, Turn
from fastapi_taskflow_core.backends.settings import Setting, SettingChange
from fastapi_taskflow_core.records import LogEntry, TaskRecord
from fastapi_taskflow_core.rollups import RollupKey, RollupValue

from . import rollups, schema
from .address import Address
from .batches import Batches
from .claims import Claims
from .connection import Limits, Server
from .instances import Instances
from .keys import Keys
from .pages import Pages
from .reading import Reader
from .settings import Settings
from .tasks import Tasks
from .timetable import Timetable
from .trail import Trail


class RedisBackend:
    """Storage in one Redis database, for any number of processes on any hosts.

    It needs Redis 6.2 or newer with ``maxmemory-policy noeviction``. Whether an accepted task
    survives the death of the server is for the server to promise; the log says what it does.

    Args:
        url: ``redis://user:password@host:6379/0``, ``rediss://...`` for TLS. Options of
            redis-py may follow, such as ``?ssl_ca_certs=ca.pem``.
        prefix: What all keys begin with, in braces. Backends with different prefixes do not
            see each other.
        pool_size: Most connections at once. The heartbeat has a pool of its own.
        timeout: Seconds that each operation may take, connecting included.
        options: Further options of redis-py, such as ``ssl_ca_certs="ca.pem"``; they come
            before those of the URL.

    Raises:
        TypeError: an argument is of the wrong kind, or redis-py does not know an option.
        ValueError: an argument makes no sense.
    """

    def __init__(
        self,
        url: str | Address,
        *,
        prefix: str = "taskflow",
        pool_size: int = 8,
        timeout: float = 5.0,
        **options: Any,
    ) -> None:
        self._address = Address.parse(url, options)
        self._keys = Keys(prefix)
        self._limits = Limits(
            checks.whole("pool_size", pool_size, least=1),
            checks.seconds("timeout", timeout, zero=False),
        )
        # Those that were made by another say nothing that it has not said.
        announce = not isinstance(url, Address)
        self._server = Server(self._address, self._keys.tag, self._limits, announce=announce)
        self._batches = Batches(self._server, self._keys)
        self._reader = Reader(self._server)
        self._tasks = Tasks(self._server, self._keys, self._reader)
        self._presence = presence_on_host(f"{self._address} {prefix}")
        self._claims = Claims(self._server, self._tasks, self._reader, self._presence)
        self._instances = Instances(self._server, self._keys, self._presence)
        self._pages = Pages(self._server, self._reader)
        self._timetable = Timetable(self._server, self._keys, self._reader)
        self._settings = Settings(self._server)
        self._trail = Trail(self._server, self._keys)

    def __repr__(self) -> str:
        return f"RedisBackend({self._address.name!r}, prefix={self._keys.prefix!r})"

    @property
    def capabilities(self) -> Capabilities:
        """What this backend can do beyond the contract."""
        return Capabilities(survives_restart=True, shared=True)

    def another(self) -> RedisBackend:
        """A further backend for the same data, not open yet."""
        return RedisBackend(self._address, prefix=self._keys.prefix, **asdict(self._limits))

    async def knock(self) -> None:
        """See `NewsStore.knock`."""
        await self._server.send(("PUBLISH", self._keys("news"), ""))

    async def listen(self, heard: Callable[[], object]) -> None:
        """See `NewsStore.listen`."""
        await self._server.listen(self._keys("news"), heard)

    async def open(self) -> None:
        """Connect, and create or migrate what is stored. Twice is once."""
        await self._server.open()
        try:
            await schema.migrate(self._server, self._keys)
        except BaseException:
            await self._server.close()
            raise

    async def close(self) -> None:
        """Let go of every connection. Safe before ``open`` and twice."""
        await self._server.close()
        self._presence.release_all()

    async def write(self, batch: Batch) -> Written:
        """Apply *batch* in one script."""
        return await self._batches.write(batch)

    async def claim(self, wanted: Claim) -> Sequence[TaskRecord]:
        """Give the caller due tasks, after burying what is dead."""
        return await self._claims.claim(wanted)

    async def beat(self, beat: Beat) -> Pulse:
        """Note that the instance lives."""
        return await self._instances.beat(beat)

    async def leave(self, instance: str) -> None:
        """Forget the instance."""
        await self._instances.leave(instance)

    async def request_cancel(self, task_id: str, now: datetime) -> TaskRecord | None:
        """Cancel a waiting task that is nobody's, flag another unfinished one."""
        return await self._tasks.cancel(task_id, now)

    async def replace_payloads(self, changes: Sequence[PayloadChange]) -> int:
        """Store other bytes for the arguments of tasks."""
        return await self._tasks.replace_payloads(changes)

    async def delete(self, before: datetime, limit: int) -> int:
        """Remove at most *limit* tasks that finished before then, oldest first."""
        return await self._tasks.delete(micros(before), limit)

    async def get(self, task_id: str) -> TaskRecord | None:
        """The task, or the one this id is an alias of."""
        return await self._tasks.find(task_id)

    async def query(self, query: Query) -> Page:
        """One page of tasks."""
        return await self._pages.page(query)

    async def logs(
        self, task_id: str, after: int = 0, limit: int = 200, *, latest: bool = False
    ) -> Sequence[LogEntry]:
        """Log lines with ``seq > after``, in order: the first, or the last."""
        return await self._tasks.logs(task_id, after, limit, latest=latest)

    async def rollups(self, query: RollupQuery) -> Mapping[RollupKey, RollupValue]:
        """Counters, summed per step."""
        return await rollups.read(self._server, self._keys, query)

    async def unfinished(self) -> Mapping[Unfinished, int]:
        """How many tasks wait and run."""
        return await self._tasks.unfinished()

    async def instances(self) -> Sequence[InstanceInfo]:
        """Every instance that is not buried."""
        return await self._instances.known()

    async def fire(self, slot: Slot, task: TaskRecord | None = None) -> bool:
        """Settle a slot, and store its task."""
        return await self._timetable.fire(slot, task)

    async def slots(self, schedule: str, limit: int = 20) -> Sequence[Slot]:
        """The slots settled last, newest first."""
        return await self._timetable.slots(schedule, limit)

    async def put_later(self, run_key: str, task: TaskRecord, now: datetime) -> str | None:
        """Store a task under a key, in place of the one that waits there."""
        return await self._timetable.put(run_key, task, now)

    async def drop_later(self, run_key: str, now: datetime) -> TaskRecord | None:
        """Cancel the task that waits under a key."""
        return await self._timetable.drop(run_key, now)

    async def later(
        self, before: datetime | None = None, limit: int = 200, after: Turn | None = None
    ) -> Sequence[Later]:
        """Tasks that wait under a key, the soonest first."""
        return await self._timetable.later(before, limit, after)

    async def change_setting(self, change: SettingChange) -> bool:
        """Make the change if the version is as it says."""
        return await self._settings.change(change)

    async def settings(self, prefix: str = "") -> Mapping[str, Setting]:
        """Every setting whose name begins with *prefix*."""
        return await self._settings.read(prefix)

    async def note(self, entry: AuditEntry) -> None:
        """Append an entry to the audit trail."""
        await self._trail.note(entry)

    async def audit(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """Entries of the audit trail, newest first."""
        return await self._trail.read(query)
