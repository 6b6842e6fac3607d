"""Tasks by their id: found, changed where they stand, removed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha1

from fastapi_taskflow_core.backends.base import PayloadChange, Unfinished
from fastapi_taskflow_core.backends.damage import DAMAGE, unreadable_line
from fastapi_taskflow_core.backends.forms import moment
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.lifecycle import Event, transition
from fastapi_taskflow_core.records import LogEntry, TaskRecord, TaskStatus

from . import rollups
from .connection import Argument, Server
from .keys import Keys
from .reading import Reader, Stored
from .rows import decoded, encoded, from_line, packed, to_text, unpacked

logger = logging.getLogger(__name__)

_DELETED_AT_ONCE = 200
_LOOKS = 100


class Tasks:
    """The tasks under one prefix."""

    def __init__(self, server: Server, keys: Keys, reader: Reader) -> None:
        self._server = server
        self._keys = keys
        self._reader = reader

    async def find(self, task_id: str) -> TaskRecord | None:
        """The task, or the one this id is an alias of."""
        stored_id = encoded(task_id)
        # MGET has no error for a key of another kind.
        (found,), holder = await self._server.send(
            ("MGET", self._keys("task", task_id)),
            ("HGET", self._keys("aliases"), stored_id),
        )
        if found is None and holder is not None:
            stored_id = holder
            ((found,),) = await self._server.send(("MGET", self._keys("task", decoded(holder))))
        elif found is None:
            (there,) = await self._server.send(("EXISTS", self._keys("task", task_id)))
            found = b"" if there else None
        return None if found is None else (await self._reader.records([(stored_id, found)]))[0]

    async def logs(self, task_id: str, after: int, limit: int, *, latest: bool) -> list[LogEntry]:
        """The first log lines behind *after*, or the last; in order, through an alias too."""
        (holder,) = await self._server.send(("HGET", self._keys("aliases"), encoded(task_id)))
        logs = self._keys("logs", task_id if holder is None else decoded(holder))
        beyond, most = f"({after}", ("LIMIT", 0, max(0, limit))
        first = ("ZRANGEBYSCORE", logs, beyond, "+inf", *most)
        last = ("ZREVRANGEBYSCORE", logs, "+inf", beyond, *most)
        (lines,) = await self._server.send(last if latest else first)
        return [await self._line(logs, line) for line in (reversed(lines) if latest else lines)]

    async def cancel(self, task_id: str, now: datetime) -> TaskRecord | None:
        """End a task that waits and is nobody's, flag another unfinished one."""
        for _ in range(_LOOKS):
            found = await self._server.run("ask_cancel", encoded(task_id), durable=True)
            if found is None:
                return None
            stored_id, text = found
            (record,) = await self._reader.records([(stored_id, text)])
            if record.status is not TaskStatus.PENDING or record.owner is not None:
                return record
            transition(record, Event.CANCEL, now)
            if await self.settle([(text, record)], durable=True):
                return record
        raise BackendUnavailable(f"{self._server.name}: others keep changing task {task_id}")

    async def replace_payloads(self, changes: Sequence[PayloadChange]) -> int:
        """Store other bytes for the arguments of tasks that still have those they had."""
        keys = [self._keys("task", each.task_id) for each in changes]
        (texts,) = await self._server.send(("MGET", *keys)) if keys else ([],)
        settled = []
        for (task_id, old, new), text in zip(changes, texts, strict=True):
            if text is None:
                continue
            (record,) = await self._reader.records([(encoded(task_id), text)])
            if record.payload == old:
                record.payload = new
                settled.append((text, record))
        return await self.settle(settled, durable=True) if settled else 0

    async def condemn(self, damaged: Iterable[Stored]) -> int:
        """End tasks that cannot be read, as nobody could run them; how many that was.

        Otherwise they would stand first among what is due for ever.
        """
        condemned = 0
        ((seconds, fraction),) = await self._server.send(("TIME",))
        now = moment(int(seconds) * 1_000_000 + int(fraction))
        for stored_id, text in damaged:
            record = await self._reader.unreadable(stored_id, text)
            record.end_time = now
            if await self.settle([(text, record)]):
                logger.error("task %s has failed: %s", record.task_id, record.error)
                condemned += 1
        return condemned

    async def settle(
        self,
        changes: Sequence[tuple[bytes, TaskRecord]],
        *,
        dead: str = "",
        durable: bool = False,
    ) -> int:
        """Change tasks that still are as they were read; how many that was.

        If they are due to the death of *dead*, nothing is changed where that one lives.
        """
        ended = [record for _, record in changes if record.status.finished]
        groups = packed(rollups.one_by_one(ended))
        pairs: list[Argument] = []
        for text, record in changes:
            pairs += fingerprint(text), to_text(record)
        changed: int = await self._server.run(
            "settle", encoded(dead), groups, *pairs, durable=durable
        )
        return changed

    async def delete(self, before: int, limit: int) -> int:
        """Remove the tasks that finished first, in small bites."""
        gone = 0
        while gone < limit:
            bite = min(_DELETED_AT_ONCE, limit - gone)
            removed: int = await self._server.run("delete", before, bite)
            gone += removed
            if removed < bite:
                break
        return gone

    async def _line(self, logs: bytes, line: bytes) -> LogEntry:
        try:
            return from_line(line)
        except DAMAGE as error:
            (seq,) = await self._server.send(("ZSCORE", logs, line))
            return unreadable_line(int(float(seq or 0)), line, error)

    async def unfinished(self) -> dict[Unfinished, int]:
        """How many tasks wait and run."""
        (answer,) = await self._server.send(("HGETALL", self._keys("unfinished")))
        counts = {}
        for name, number in rollups.pairs(answer).items():
            with suppress(*DAMAGE):
                func_name, queue, status = unpacked(name)
                counts[Unfinished(func_name, queue, TaskStatus(status))] = int(number)
        return counts


def fingerprint(text: bytes) -> str:
    """What a script compares what it finds with."""
    return sha1(text, usedforsecurity=False).hexdigest()
