"""Counters of finished tasks: added to where they stand, summed when they are read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from fastapi_taskflow_core.backends.base import RollupQuery
from fastapi_taskflow_core.records import TaskRecord
from fastapi_taskflow_core.rollups import (
    STEP,
    Resolution,
    RollupKey,
    Rollups,
    RollupValue,
    floor,
    tally,
)

from .bulk import insert
from .connection import Connection, Value
from .rows import micros, moment
from .schema import ROLLUPS
from .statements import Statements

_ADD = (
    ("n", "{old} + {new}"),
    ("total", "{old} + {new}"),
    ("low", "{least}({old}, {new})"),
    ("high", "{greatest}({old}, {new})"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count(sql: Statements, connection: Connection, finished: Iterable[TaskRecord]) -> None:
    """Add these finished tasks to the counters."""
    minutes = tally(finished, "minute")
    # In one order everywhere, so that two writers never wait for each other in a circle.
    rows = sorted(_rows("minute", minutes) + _rows("hour", _hours(minutes)))
    if rows:
        *key, _, _, low, high = rows[-1]
        nothing = (*key, 0, 0, low, high)
        insert(sql, connection, ROLLUPS, rows, tail=sql.merge(ROLLUPS, _ADD), filler=nothing)


def read(sql: Statements, connection: Connection, query: RollupQuery) -> Rollups:
    """The counters that *query* asks for."""
    statement, parameters = _select(sql, query)
    return {
        RollupKey(moment(int(start)), func_name, queue, event, bucket): RollupValue(
            int(n), int(total), int(low), int(high)
        )
        for start, func_name, queue, event, bucket, n, total, low, high in connection.fetch(
            statement, parameters
        )
    }


def _hours(minutes: Rollups) -> Rollups:
    hours: Rollups = {}
    for key, value in minutes.items():
        start = floor(key.start, STEP["hour"])
        hour = RollupKey(start, key.func_name, key.queue, key.event, key.bucket)
        hours.setdefault(hour, RollupValue()).add(value)
    return hours


def _rows(resolution: Resolution, counted: Rollups) -> list[tuple[str | int, ...]]:
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
    parameters: list[Value] = [query.resolution]
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
    step = None if query.step is None else micros(_EPOCH + query.step)
    start = "0" if step is None else "start - " + sql.dialect.modulo.format(a="start", b=step)
    return (
        f"SELECT {start} AS step, func_name, queue, event, bucket,"  # noqa: S608  all ours
        " SUM(n), SUM(total), MIN(low), MAX(high)"
        f" FROM {sql.prefix}{ROLLUPS.name} WHERE {' AND '.join(conditions)}"
        " GROUP BY step, func_name, queue, event, bucket"
    ), parameters
