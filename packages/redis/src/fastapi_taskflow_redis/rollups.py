"""Counters of finished tasks: added up by the scripts, summed when they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fastapi_taskflow_core.backends.base import RollupQuery
from fastapi_taskflow_core.backends.damage import DAMAGE
from fastapi_taskflow_core.backends.forms import micros, moment
from fastapi_taskflow_core.records import TaskRecord
from fastapi_taskflow_core.rollups import RollupKey, Rollups, RollupValue, floor, tally

from .connection import Server
from .keys import Keys
from .rows import decoded, packed, unpacked

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MANY = 100

Group = tuple[str | None, list[tuple[int, str, int, int, int, int]]]
"""What to count if the task of this id has ended; None: in any case."""


def together(finished: Iterable[TaskRecord]) -> list[Group]:
    """The counters of all these tasks, for when it is sure that all of them end now."""
    rows = _rows(finished)
    return [(None, rows)] if rows else []


def one_by_one(finished: Iterable[TaskRecord]) -> list[Group]:
    """The counters of each of these tasks, for when some may not end now."""
    return [(task.task_id, _rows([task])) for task in finished]


async def read(server: Server, keys: Keys, query: RollupQuery) -> Rollups:
    """The counters that *query* asks for."""
    summed: Rollups = {}
    async for start, counted in _steps(server, keys, query):
        shown = _EPOCH if query.step is None else floor(start, query.step)
        for stored, text in counted:
            try:
                func_name, queue, event, bucket = _name(stored)
                value = RollupValue(*map(int, text.split()))
            except DAMAGE:
                continue  # it begins anew with the next task that is counted there
            if query.func_name in {None, func_name} and query.queue in {None, queue}:
                names = ("", "") if query.together else (func_name, queue)
                key = RollupKey(shown, *names, event, bucket if query.buckets else 0)
                if (known := summed.setdefault(key, value)) is not value:
                    known.add(value)
    return summed


@lru_cache(maxsize=65_536)
def _name(stored: bytes) -> tuple[str, str, str, int]:
    """Function, queue, event and bucket: the same ones again and again."""
    event, bucket, func_name, queue = unpacked(stored)
    return func_name, queue, event, bucket


async def _steps(
    server: Server, keys: Keys, query: RollupQuery
) -> AsyncIterator[tuple[datetime, Iterable[tuple[bytes, bytes]]]]:
    if query.ever:
        (everything,) = await server.run("rollups", "all")
        yield _EPOCH, _counters(everything)
        return
    since = "-inf" if query.since is None else str(micros(query.since))
    until = "+inf" if query.until is None else f"({micros(query.until)}"
    known = ("ZRANGEBYSCORE", keys("rollups", query.resolution), since, until)
    (starts,) = await server.send(known)
    for first in range(0, len(starts), _MANY):
        some = [decoded(start) for start in starts[first : first + _MANY]]
        steps = [f"{query.resolution}:{start}" for start in some]
        for start, text in zip(some, await server.run("rollups", *steps), strict=True):
            yield moment(int(start)), _counters(text)


def _counters(text: bytes) -> Iterable[tuple[bytes, bytes]]:
    lines = text.split(b"\n") if text else []
    return zip(lines[::2], lines[1::2], strict=True)


def pairs(answer: Any) -> dict[bytes, bytes]:
    """An answer of names and values."""
    # redis-py makes a dict of this answer or not, depending on how it was asked.
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))


def _rows(finished: Iterable[TaskRecord]) -> list[tuple[int, str, int, int, int, int]]:
    return [
        (
            micros(key.start),
            decoded(packed([key.event, key.bucket, key.func_name, key.queue])),
            value.n,
            value.total,
            value.low,
            value.high,
        )
        for key, value in tally(finished, "minute").items()
    ]
