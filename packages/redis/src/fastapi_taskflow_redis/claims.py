"""Claiming: what dead instances left is put in order, then due tasks are handed out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from fastapi_taskflow_core.backends.base import Claim
from fastapi_taskflow_core.backends.forms import moment
from fastapi_taskflow_core.backends.presence import Presence
from fastapi_taskflow_core.orphans import orphan
from fastapi_taskflow_core.records import TaskRecord

from .connection import Server
from .reading import Reader, stored_pairs
from .rows import decoded, encoded
from .tasks import Tasks

_AT_ONCE = 500


class Claims:
    """Hands out the tasks under one prefix."""

    def __init__(self, server: Server, tasks: Tasks, reader: Reader, presence: Presence) -> None:
        self._server = server
        self._tasks = tasks
        self._reader = reader
        self._presence = presence
        self._unanswered: dict[str, str] = {}
        """By instance, the token of a claim whose answer did not come: asked again under it, a
        claim hands out what it did."""

    async def claim(self, wanted: Claim) -> list[TaskRecord]:
        """Put the tasks of the dead in order, then give the caller what is due."""
        await self._bury_who_is_gone()
        claimed: list[TaskRecord] = []
        look_for_dead = True
        while True:
            limit = max(0, min(wanted.limit - len(claimed), _AT_ONCE))
            kind, *rest = await self._ask(wanted, limit, look_for_dead=look_for_dead)
            if kind == b"orphans":
                # Where nothing can be done about them, others must not wait for it.
                look_for_dead = await self._inherit(wanted.max_crashes, *rest)
            elif kind == b"damaged":
                if not await self._tasks.condemn(stored_pairs(rest)):
                    return claimed
            elif kind == b"tasks":
                claimed += await self._readable(rest)
                if len(rest) < 2 * limit or len(claimed) >= wanted.limit:
                    return claimed

    async def _bury_who_is_gone(self) -> None:
        if gone := self._presence.all_gone():
            await self._server.run("bury", *map(encoded, gone))
            for instance in gone:
                self._presence.forget(instance)

    async def _ask(self, wanted: Claim, limit: int, *, look_for_dead: bool) -> Any:
        token = self._unanswered.setdefault(wanted.instance, uuid4().hex)
        functions = map(encoded, sorted(wanted.functions))
        look = 1 if look_for_dead else 0
        instance = encoded(wanted.instance)
        answer = await self._server.run("claim", instance, limit, token, look, *functions)
        if answer[0] == b"tasks":
            del self._unanswered[wanted.instance]
        return answer

    async def _inherit(self, max_crashes: int, owner: bytes, now: bytes, *answer: bytes) -> bool:
        """Whether anything was put in order."""
        moment_of_death = moment(int(now))
        changes, damaged = [], []
        stored = stored_pairs(answer)
        for each, record in zip(stored, await self._reader.records(stored), strict=True):
            if record.status.finished:
                damaged.append(each)
                continue
            orphan(record, moment_of_death, max_crashes)
            changes.append((each[1], record))
        condemned = await self._tasks.condemn(damaged) if damaged else 0
        return bool(await self._tasks.settle(changes, dead=decoded(owner)) + condemned)

    async def _readable(self, answer: Sequence[bytes]) -> list[TaskRecord]:
        """The tasks that were handed out; those that cannot be read have FAILED by that."""
        stored = stored_pairs(answer)
        records = await self._reader.records(stored)
        both = list(zip(stored, records, strict=True))
        if damaged := [each for each, record in both if record.status.finished]:
            await self._tasks.condemn(damaged)
        return [record for record in records if not record.status.finished]
