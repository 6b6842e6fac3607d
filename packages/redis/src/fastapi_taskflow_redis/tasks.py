"""Tasks by their id: written in batches, found, changed where they stand, removed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha1
from itertools import chain
from uuid import uuid4

from fastapi_taskflow_core.backends.base import Batch, Unfinished, Written
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.lifecycle import Event, transition
from fastapi_taskflow_core.records import LogEntry, TaskRecord, TaskStatus

from . import rollups
from .connection import Server
from .keys import Keys
from .rows import decoded, encoded, from_line, from_text, packed, to_line, to_text, unpacked

_AT_ONCE, _BYTES_AT_ONCE = 2_000, 16_000_000
_DELETED_AT_ONCE = 200
_STAGED_FOR = 60
_LOOKS = 100


class Tasks:
    """The tasks under one prefix."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    async def write(self, batch: Batch) -> Written:
        """Apply a batch in one script, hoping first that all of its endings are news."""
        texts = [to_text(task) for task in chain(batch.updates, batch.inserts)]
        finished = [
            task for task in chain(batch.updates, batch.inserts) if task.status.finished
        ]
        plan = {
            "withdrawn": [(task.task_id, task.epoch) for task in batch.withdrawn],
            "updates": len(batch.updates),
            "endings": len(finished),
            "counts": rollups.together(finished),
            "logs": [(task_id, line.seq, to_line(line)) for task_id, line in batch.logs],
        }
        answer = await self._write(batch, plan, texts)
        if answer == [b"again"]:
            careful = {**plan, "counts": rollups.one_by_one(finished)}
            del careful["endings"]
            answer = await self._write(batch, careful, texts)
        refused, duplicates = ([decoded(each) for each in part] for part in answer)
        return Written(
            frozenset(refused), dict(zip(duplicates[::2], duplicates[1::2], strict=True))
        )

    async def find(self, task_id: str) -> bytes | None:
        """What is stored of the task, or of the one this id is an alias of."""
        found, holder = await self._server.send(
            ("GET", self._keys("task", task_id)),
            ("HGET", self._keys("aliases"), encoded(task_id)),
        )
        if found is None and holder is not None:
            (found,) = await self._server.send(("GET", self._keys("task", decoded(holder))))
        text: bytes | None = found
        return text

    async def logs(self, task_id: str, after: int, limit: int) -> list[LogEntry]:
        """Log lines behind *after*, in order, through an alias too."""
        (holder,) = await self._server.send(("HGET", self._keys("aliases"), encoded(task_id)))
        logs = self._keys("logs", task_id if holder is None else decoded(holder))
        some = ("ZRANGEBYSCORE", logs, f"({after}", "+inf", "LIMIT", 0, max(0, limit))
        (lines,) = await self._server.send(some)
        return [from_line(line) for line in lines]

    async def cancel(self, task_id: str, now: datetime) -> TaskRecord | None:
        """End a task that waits and is nobody's, flag another unfinished one."""
        for _ in range(_LOOKS):
            text = await self._server.run("ask_cancel", encoded(task_id), durable=True)
            if text is None:
                return None
            record = from_text(text)
            if record.status is not TaskStatus.PENDING or record.owner is not None:
                return record
            transition(record, Event.CANCEL, now)
            if await self.settle([(text, record)], durable=True):
                return record
        raise BackendUnavailable(f"{self._server.name}: others keep changing task {task_id}")

    async def settle(
        self,
        changes: Sequence[tuple[bytes, TaskRecord]],
        *,
        dead: str = "",
        durable: bool = False,
    ) -> int:
        """Change tasks that still are as they were read; how many that was.

        Args:
            dead: Whose death is the reason; if that one lives, nothing is changed.
        """
        ended = [record for _, record in changes if record.status.finished]
        pairs = ((fingerprint(text), to_text(record)) for text, record in changes)
        groups = packed(rollups.one_by_one(ended))
        arguments = (encoded(dead), groups, *chain.from_iterable(pairs))
        changed: int = await self._server.run("settle", *arguments, durable=durable)
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

    async def unfinished(self) -> dict[Unfinished, int]:
        """How many tasks wait and run."""
        (answer,) = await self._server.send(("HGETALL", self._keys("unfinished")))
        counts = {}
        for name, number in rollups.pairs(answer).items():
            func_name, queue, status = unpacked(name)
            counts[Unfinished(func_name, queue, TaskStatus(status))] = int(number)
        return counts

    async def _write(self, batch: Batch, plan: dict[str, object], texts: Sequence[bytes]) -> object:
        instance = encoded(batch.instance)
        if len(texts) <= _AT_ONCE and sum(map(len, texts)) <= _BYTES_AT_ONCE:
            return await self._server.run(
                "write", instance, packed(plan), *texts, durable=batch.durable
            )
        token = uuid4().hex
        await self._stage(self._keys("staged", token), texts)
        staged = packed({**plan, "staged": token, "values": len(texts)})
        return await self._server.run("write", instance, staged, durable=batch.durable)

    async def _stage(self, key: bytes, texts: Sequence[bytes]) -> None:
        """Send what is too much for one command ahead, in pieces."""
        piece: list[bytes] = []
        size = 0
        for text in texts:
            if piece and (len(piece) == _AT_ONCE or size + len(text) > _BYTES_AT_ONCE):
                await self._push(key, piece)
                piece, size = [], 0
            piece.append(text)
            size += len(text)
        await self._push(key, piece)

    async def _push(self, key: bytes, piece: Sequence[bytes]) -> None:
        await self._server.send(("RPUSH", key, *piece), ("EXPIRE", key, _STAGED_FOR))


def fingerprint(text: bytes) -> str:
    """What a script compares what it finds with."""
    return sha1(text, usedforsecurity=False).hexdigest()
