"""Counters of finished tasks: added to where they stand, summed when they are read.

Beside those of each minute and hour there is the sum of all time, so that figures cost the same
after a day and after a year.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache

from fastapi_taskflow_core.backends.base import RollupQuery
from fastapi_taskflow_core.backends.forms import micros, moment
from fastapi_taskflow_core.records import TaskRecord
from fastapi_taskflow_core.rollups import (
    KEPT,
    STEP,
    RollupKey,
    Rollups,
    RollupValue,
    floor,
    tally,
)

from . import statements
from .bulk import insert
from .connection import Connection, Value
from .schema import ROLLUPS
from .statements import Statements

_ADD = (
    ("n", "{old} + {new}"),
    ("total", "{old} + {new}"),
    ("low", "{least}({old}, {new})"),
    ("high", "{greatest}({old}, {new})"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_NAMES = ("''", "''")
_EVER = "ever"
"""The resolution of the sums of all time, whose one step begins at the epoch."""


class Counters:
    """The counters of one database: by the minute and the hour for a while, and of all time."""

    def __init__(self, sql: Statements) -> None:
        self._sql = sql
        self._cleared = _EPOCH
        """When this process last removed old ones."""

    def add(self, connection: Connection, finished: Iterable[TaskRecord]) -> None:
        """Count these finished tasks."""
        minutes = tally(finished, "minute")
        if not minutes:
            return
        # In one order everywhere, so that two writers never wait for each other in a circle.
        rows = sorted(
            _rows(_EVER, _moved(minutes, lambda _: _EPOCH))
            + _rows("hour", _moved(minutes, lambda start: floor(start, STEP["hour"])))
            + _rows("minute", minutes)
        )
        *key, _, _, low, high = rows[-1]
        nothing = (*key, 0, 0, low, high)
        tail = self._sql.merge(ROLLUPS, _ADD)
        insert(self._sql, connection, ROLLUPS, rows, tail=tail, filler=nothing)

    def read(self, connection: Connection, query: RollupQuery) -> Rollups:
        """The counters that *query* asks for."""
        statement, parameters = _select(self._sql, query)
        return {
            RollupKey(_start(int(start)), func_name, queue, event, bucket): RollupValue(
                int(n), int(total), int(low), int(high)
            )
            for start, func_name, queue, event, bucket, n, total, low, high in connection.fetch(
                statement, parameters
            )
        }

    def clear(self, connection: Connection, now: datetime) -> None:
        """Remove what no chart shows any more: once a minute, so that it is little each time."""
        if now < self._cleared + STEP["minute"]:
            return
        self._cleared = now
        forget = self._sql.render(statements.FORGET_ROLLUPS)
        for resolution, kept in KEPT.items():
            connection.execute(forget, (resolution, micros(now - kept)))


_start = lru_cache(maxsize=4_096)(moment)


def _moved(counted: Rollups, step: Callable[[datetime], datetime]) -> Rollups:
    """The counters summed by the steps that theirs lie in."""
    moved: Rollups = {}
    for key, value in counted.items():
        moved.setdefault(key._replace(start=step(key.start)), RollupValue()).add(value)
    return moved


def _rows(resolution: str, counted: Rollups) -> list[tuple[str | int, ...]]:
    return [
        (
            resolution,
            micros(key.start),
            key.func_name,
            key.queue,
            key.event,
            key.bucket,
            value.n,
            value.total,
            value.low,
            value.high,
        )
        for key, value in counted.items()
    ]


def _select(sql: Statements, query: RollupQuery) -> tuple[str, list[Value]]:
    mark = sql.dialect.placeholder
    conditions: list[str] = [f"resolution = {mark}"]
    parameters: list[Value] = [_EVER if query.ever else query.resolution]
    wanted: tuple[tuple[str, Value], ...] = (
        ("start >=", None if query.since is None else micros(query.since)),
        ("start <", None if query.until is None else micros(query.until)),
        ("func_name =", query.func_name),
        ("queue =", query.queue),
    )
    for condition, value in wanted:
        if value is not None:
            conditions.append(f"{condition} {mark}")
            parameters.append(value)
    names = () if query.together else ("func_name", "queue")
    bucket = ("bucket",) if query.buckets else ()
    return (
        f"SELECT {_step(sql, query)} AS step, {', '.join(names or _NO_NAMES)}, event,"  # noqa: S608  all ours
        f" {', '.join(bucket) or 0}, SUM(n), SUM(total), MIN(low), MAX(high)"
        f" FROM {sql.prefix}{ROLLUPS.name} WHERE {' AND '.join(conditions)}"
        f" GROUP BY {', '.join(('step', *names, 'event', *bucket))}"
    ), parameters


def _step(sql: Statements, query: RollupQuery) -> str:
    """Where the step begins that a counter counts for."""
    if query.ever or query.step == STEP[query.resolution]:
        return "start"  # as the key has it: so nothing needs to be sorted
    if query.step is None:
        return "0"
    step = micros(_EPOCH + query.step)
    return f"start - {sql.dialect.modulo.format(a='start', b=step)}"
