"""Row <-> record: microseconds for times, JSON for what has structure, bytes as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

from fastapi_taskflow_core.backends.damage import (
    DAMAGE,
    check_counters,
    check_level,
    check_words,
    unreadable,
    unreadable_line,
)
from fastapi_taskflow_core.backends.forms import (
    from_attempts,
    from_progress,
    key_hash,
    micros,
    moment,
    to_attempts,
    to_progress,
    to_tags,
)
from fastapi_taskflow_core.records import Attempt, LogEntry, TaskRecord, TaskStatus

from .connection import Row, Value
from .schema import LOGS, TASKS
from .shape import shape_of

RECORD_COLUMNS = tuple(name for name in TaskRecord.__dataclass_fields__ if name != "logs")
"""What a record is read from, in the order of its fields."""
COLUMNS = (*RECORD_COLUMNS, "key_hash", "precedence", "due_at", "finished_at")
"""What is written of a record: the last four follow from the others and serve the indexes."""
PLAIN_COLUMNS = (
    "task_id",
    "func_name",
    "created_at",
    "status",
    "queue",
    "start_time",
    "end_time",
    "finished_at",
    "executor",
    "owner",
)
"""What is written of a plain record: in the other columns it has what they hold by default."""
UPDATED = (
    "status",
    "start_time",
    "end_time",
    "retries_used",
    "error",
    "stacktrace",
    "run_at",
    "earlier",
    "progress",
    "result",
    "owner",
    "crashes",
    "cancel_requested",
    "key_hash",
    "due_at",
    "finished_at",
)
"""What may change after a task was stored."""
FOUND_BY = ("task_id", "epoch")
"""By what an update finds its task."""

_rest = attrgetter(*(name for name in RECORD_COLUMNS if name not in PLAIN_COLUMNS))
_NOTHING_ELSE = _rest(TaskRecord("", "", moment(0)))
_SHAPE = shape_of(next(c for c in TASKS.columns if c.name == n) for n in RECORD_COLUMNS)
_LOG_SHAPE = shape_of(LOGS.columns[1:])
_place = itemgetter(
    *(RECORD_COLUMNS.index(name) for name in ("task_id", "func_name", "queue", "created_at"))
)
_dump = json.JSONEncoder(separators=(",", ":"), default=str).encode
_STATUS_TEXTS = {status: status.value for status in TaskStatus}

_Reader = Callable[[Sequence[TaskRecord]], list[Value]]


def _field(name: str, to_value: Callable[[Any], Value] | None = None) -> _Reader:
    """How to read one field of many records; *to_value* is for what is not None."""
    get = attrgetter(name)
    if to_value is None:
        return lambda records: list(map(get, records))
    return lambda records: [
        None if value is None else to_value(value) for value in map(get, records)
    ]


def _earlier_attempts(earlier: tuple[Attempt, ...]) -> str | None:
    return _dump(from_attempts(earlier)) if earlier else None


def _held_keys(records: Sequence[TaskRecord]) -> list[Value]:
    return [
        None if it.idempotency_key is None or not it.status.holds_key
        else key_hash(it.idempotency_key)
        for it in records
    ]  # fmt: skip


_VALUES: dict[str, _Reader] = {name: _field(name) for name in RECORD_COLUMNS} | {
    "status": _field("status", _STATUS_TEXTS.__getitem__),
    "created_at": _field("created_at", micros),
    "start_time": _field("start_time", micros),
    "end_time": _field("end_time", micros),
    "run_at": _field("run_at", micros),
    "tags": _field("tags", _dump),
    "earlier": _field("earlier", _earlier_attempts),
    "progress": _field("progress", lambda progress: _dump(from_progress(progress))),
    "persist": _field("persist", int),
    "requeue_on_interrupt": _field("requeue_on_interrupt", int),
    "cancel_requested": _field("cancel_requested", int),
    "key_hash": _held_keys,
    "precedence": lambda records: [-(it.priority or 0) for it in records],
    "due_at": lambda records: [0 if it.run_at is None else micros(it.run_at) for it in records],
    "finished_at": lambda records: [
        micros(it.end_time or it.created_at) if it.status.finished else None for it in records
    ],
}
"""What is written of records, column by column."""


def to_rows(
    records: Sequence[TaskRecord], columns: Iterable[str]
) -> tuple[tuple[str, ...], list[tuple[Value, ...]]]:
    """The rows of *records*, and which of the *columns* they hold: not those that are NULL in all.

    Most columns are, and drivers take long over a NULL. All values are of exact built-in types,
    which drivers bind fastest.
    """
    held: dict[str, list[Value]] = {}
    for name in columns:
        values = _VALUES[name](records)
        if values.count(None) < len(records):
            held[name] = values
    return tuple(held), list(zip(*held.values(), strict=True))


def is_plain(record: TaskRecord) -> bool:
    """Whether `PLAIN_COLUMNS` tell all: so for most tasks that just ran to their end."""
    return record.status.finished and _rest(record) == _NOTHING_ELSE


def from_row(row: Row) -> TaskRecord:
    """The record of the values of `RECORD_COLUMNS`; of a damaged row, what `unreadable` says."""
    try:
        _SHAPE.check(row)
        return _record(row)
    except DAMAGE as error:
        task_id, func_name, queue, created_at = _place(row)
        return unreadable(task_id, func_name, queue, created_at, error)


def _record(row: Row) -> TaskRecord:
    (
        task_id, func_name, created_at, status, start_time, end_time, retries_used, error,
        stacktrace, tags, source, priority, executor, queue, key, run_at, earlier, progress,
        result, retry_of, payload, persist, requeue, owner, epoch, crashes, cancel_requested,
    ) = row  # fmt: skip
    check_counters(epoch, crashes, retries_used)
    check_words(source, executor)
    return TaskRecord(
        task_id,
        func_name,
        moment(created_at),
        TaskStatus(status),
        None if start_time is None else moment(start_time),
        None if end_time is None else moment(end_time),
        retries_used,
        error,
        stacktrace,
        None if tags is None else to_tags(json.loads(tags)),
        source,
        priority,
        executor,
        queue,
        key,
        None if run_at is None else moment(run_at),
        to_attempts(json.loads(earlier)) if earlier else (),
        None if progress is None else to_progress(json.loads(progress)),
        result,
        retry_of,
        None if payload is None else bytes(payload),
        bool(persist),
        bool(requeue),
        owner,
        epoch,
        crashes,
        bool(cancel_requested),
    )


def tag_rows(record: TaskRecord) -> list[tuple[Value, ...]]:
    """What the tags table holds of a record."""
    created = micros(record.created_at)
    tags = record.tags or {}
    words = dict.fromkeys(
        word for name, value in tags.items() for word in (name, f"{name}={value}")
    )
    return [(word, created, record.task_id) for word in words]


def log_row(task_id: str, entry: LogEntry) -> tuple[Value, ...]:
    """The values of a log line."""
    return (
        task_id,
        entry.seq,
        micros(entry.time),
        entry.attempt,
        entry.level,
        entry.message,
        None if entry.extra is None else _dump(entry.extra),
    )


def to_log(row: Row) -> LogEntry:
    """The log line of the values that `statements.FIRST_LOG_LINES` reads."""
    seq, time, attempt, level, message, extra = row
    try:
        _LOG_SHAPE.check(row)
        check_level(level)
        more = None if extra is None else json.loads(extra)
        return LogEntry(seq, moment(time), attempt, level, message, more)
    except DAMAGE as error:
        return unreadable_line(seq, message, error)
