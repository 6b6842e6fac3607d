"""Settled slots of schedules, and tasks that wait for their hour under a key."""

from __future__ import annotations

from datetime import datetime

from fastapi_taskflow_core.backends.forms import micros, moment
from fastapi_taskflow_core.backends.scheduling import SLOTS_KEPT, Later, Slot, SlotOutcome, Turn
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.lifecycle import Event, transition
from fastapi_taskflow_core.records import TaskRecord, TaskStatus

from . import rollups
from .connection import Server
from .keys import Keys
from .reading import Reader
from .rows import decoded, encoded, packed, to_text, unpacked
from .tasks import fingerprint

_KEPT = int(SLOTS_KEPT.total_seconds() * 1e6)
_LOOKS = 200


class Timetable:
    """What the schedules under one prefix have done and have still to do."""

    def __init__(self, server: Server, keys: Keys, reader: Reader) -> None:
        self._server = server
        self._keys = keys
        self._reader = reader

    async def fire(self, slot: Slot, task: TaskRecord | None) -> bool:
        """Settle *slot* with its task; False if it was settled before or is to come."""
        at = micros(slot.at)
        said = packed([at, slot.outcome, slot.task_id])
        made = [] if task is None else [to_text(task)]
        fired = await self._server.run(
            "fire", encoded(slot.schedule), at, said, _KEPT, *made, durable=True
        )
        return bool(fired)

    async def slots(self, schedule: str, limit: int) -> list[Slot]:
        """The slots settled last, newest first."""
        if limit < 1:
            return []
        newest = ("ZREVRANGE", self._keys("slots", schedule), 0, limit - 1)
        (said,) = await self._server.send(newest)
        return [
            Slot(schedule, moment(at), SlotOutcome(outcome), task_id)
            for at, outcome, task_id in map(unpacked, said)
        ]

    async def put(self, run_key: str, task: TaskRecord, now: datetime) -> str | None:
        """Store *task* under the key; the id of the one that waited there until now."""
        for _ in range(_LOOKS):
            holder, text = await self._holder(run_key)
            if holder == task.task_id:
                return None
            waiting = await self._waiting(encoded(holder), text)
            if await self._give(run_key, holder, text, waiting, task, now):
                return None if waiting is None else waiting.task_id
        raise self._contended(run_key)

    async def drop(self, run_key: str, now: datetime) -> TaskRecord | None:
        """Cancel what waits under the key."""
        for _ in range(_LOOKS):
            holder, text = await self._holder(run_key)
            if not holder:
                return None
            waiting = await self._waiting(encoded(holder), text)
            if await self._give(run_key, holder, text, waiting, None, now):
                return waiting
        raise self._contended(run_key)

    async def later(self, before: datetime | None, limit: int, after: Turn | None) -> list[Later]:
        """What waits under a key, the soonest first."""
        until = "+inf" if before is None else f"({micros(before)}"
        past = 0 if after is None else await self._past(after)
        soonest = ("ZRANGEBYSCORE", self._keys("later"), "-inf", until, "LIMIT", past)
        (ids,) = await self._server.send((*soonest, max(0, limit)))
        if not ids:
            return []
        texts, run_keys = await self._server.send(
            ("MGET", *(self._keys("task", decoded(task_id)) for task_id in ids)),
            ("HMGET", self._keys("run_key_of"), *ids),
        )
        return [
            Later(decoded(run_key), waiting)
            for task_id, run_key, text in zip(ids, run_keys, texts, strict=True)
            if run_key is not None and (waiting := await self._waiting(task_id, text)) is not None
        ]

    async def _past(self, turn: Turn) -> int:
        """How many are no later than this turn. Those of one moment stand by their ids."""
        at = micros(turn.due)
        sooner, together = await self._server.send(
            ("ZCOUNT", self._keys("later"), "-inf", f"({at}"),
            ("ZRANGEBYSCORE", self._keys("later"), at, at),
        )
        return int(sooner) + sum(decoded(each) <= turn.task_id for each in together)

    async def _holder(self, run_key: str) -> tuple[str, bytes | None]:
        (holder,) = await self._server.send(("HGET", self._keys("run_keys"), encoded(run_key)))
        if holder is None:
            return "", None
        task_id = decoded(holder)
        ((text,),) = await self._server.send(("MGET", self._keys("task", task_id)))
        return task_id, text

    async def _give(
        self,
        run_key: str,
        holder: str,
        text: bytes | None,
        waiting: TaskRecord | None,
        task: TaskRecord | None,
        now: datetime,
    ) -> bool:
        """Whether all still was as it had been read."""
        was, becomes, groups = "", b"", packed([])
        if waiting is not None and text is not None:
            transition(waiting, Event.CANCEL, now)
            was, becomes = fingerprint(text), to_text(waiting)
            groups = packed(rollups.together([waiting]))
        new = b"" if task is None else to_text(task)
        arguments = (encoded(run_key), encoded(holder), was, becomes, groups, new)
        return bool(await self._server.run("put_later", *arguments, durable=True))

    async def _waiting(self, stored_id: bytes, text: bytes | None) -> TaskRecord | None:
        if text is None:
            return None
        (record,) = await self._reader.records([(stored_id, text)])
        waits = record.status is TaskStatus.PENDING and record.owner is None
        return record if waits else None

    def _contended(self, run_key: str) -> BackendUnavailable:
        return BackendUnavailable(f"{self._server.name}: others keep changing {run_key!r:.100}")
