"""Row <-> record: microseconds for times, JSON for what has structure, bytes as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from operator import attrgetter, itemgetter
from typing import Any, get_args

from fastapi_taskflow_core.records import (
    UNFINISHED,
    Attempt,
    ExecutorKind,
    LogEntry,
    LogLevel,
    Progress,
    ProgressMark,
    Source,
    TaskRecord,
    TaskStatus,
)

from .connection import Row, Value
from .damage import Shape, text, unreadable
from .schema import LOGS, TASKS

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

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPEN = frozenset(status.value for status in UNFINISHED)
_HOLDING = frozenset(status.value for status in TaskStatus if status.holds_key)
_fields = attrgetter(*RECORD_COLUMNS)
_plain = attrgetter("task_id", "func_name", "queue", "executor", "owner", "status")
_times = attrgetter("created_at", "start_time", "end_time")
_rest = attrgetter(*(name for name in RECORD_COLUMNS if name not in PLAIN_COLUMNS))
_NOTHING_ELSE = _rest(TaskRecord("", "", _EPOCH))
_changes = itemgetter(*(COLUMNS.index(name) for name in (*UPDATED, "task_id", "epoch")))
_SHAPE = Shape(tuple(next(c for c in TASKS.columns if c.name == n) for n in RECORD_COLUMNS))
_LOG_SHAPE = Shape(LOGS.columns[1:])
_SOURCES = frozenset(get_args(Source))
_EXECUTORS = frozenset(get_args(ExecutorKind))
_LEVELS = frozenset(get_args(LogLevel))
_MOST = 2**31 - 1
"""Where counters of attempts, crashes and owners are no longer believed: their columns end here."""
_place = itemgetter(
    *(RECORD_COLUMNS.index(name) for name in ("task_id", "func_name", "queue", "created_at"))
)
_DAMAGE = (TypeError, ValueError, LookupError, OverflowError, RecursionError)
_dump = json.JSONEncoder(separators=(",", ":"), default=str).encode


def micros(moment: datetime) -> int:
    """Microseconds since the Unix epoch, exactly."""
    span = moment - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def moment(microseconds: int) -> datetime:
    """The aware UTC time so many microseconds after the Unix epoch."""
    return _EPOCH + timedelta(microseconds=microseconds)


def key_hash(key: str) -> bytes:
    """What stands for an idempotency key: equal for equal bytes only, on every database."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def to_row(record: TaskRecord) -> tuple[Value, ...]:
    """The values of `COLUMNS`. Only exact built-in types, which drivers bind fastest."""
    (
        task_id, func_name, created_at, status, start_time, end_time, retries_used, error,
        stacktrace, tags, source, priority, executor, queue, key, run_at, earlier, progress,
        result, retry_of, payload, persist, requeue, owner, epoch, crashes, cancel_requested,
    ) = _fields(record)  # fmt: skip
    state = status.value
    created = micros(created_at)
    ended = None if end_time is None else micros(end_time)
    due = None if run_at is None else micros(run_at)
    return (
        task_id,
        func_name,
        created,
        state,
        None if start_time is None else micros(start_time),
        ended,
        retries_used,
        error,
        stacktrace,
        None if tags is None else _dump(tags),
        source,
        priority,
        executor,
        queue,
        key,
        due,
        _dump([_from_attempt(attempt) for attempt in earlier]) if earlier else None,
        None if progress is None else _dump(_from_progress(progress)),
        result,
        retry_of,
        payload,
        1 if persist else 0,
        1 if requeue else 0,
        owner,
        epoch,
        crashes,
        1 if cancel_requested else 0,
        None if key is None or state not in _HOLDING else key_hash(key),
        -priority if priority else 0,
        0 if due is None else due,
        None if state in _OPEN else created if ended is None else ended,
    )


def is_plain(record: TaskRecord) -> bool:
    """Whether `to_plain_row` tells all: so for most tasks that just ran to their end."""
    return record.status.finished and _rest(record) == _NOTHING_ELSE


def to_plain_row(record: TaskRecord) -> tuple[Value, ...]:
    """The values of `PLAIN_COLUMNS`, a third of the work of `to_row`."""
    task_id, func_name, queue, executor, owner, status = _plain(record)
    created_at, start_time, end_time = _times(record)
    created = micros(created_at)
    ended = None if end_time is None else micros(end_time)
    return (
        task_id,
        func_name,
        created,
        status.value,
        queue,
        None if start_time is None else micros(start_time),
        ended,
        created if ended is None else ended,
        executor,
        owner,
    )


def to_update(record: TaskRecord) -> tuple[Value, ...]:
    """The values of `UPDATED`, then id and epoch."""
    values: tuple[Value, ...] = _changes(to_row(record))
    return values


def from_row(row: Row) -> TaskRecord:
    """The record of the values of `RECORD_COLUMNS`; of a damaged row, what `unreadable` says."""
    try:
        _SHAPE.check(row)
        return _record(row)
    except _DAMAGE as error:
        task_id, func_name, queue, created_at = _place(row)
        return unreadable(task_id, func_name, queue, created_at, error)


def _record(row: Row) -> TaskRecord:
    (
        task_id, func_name, created_at, status, start_time, end_time, retries_used, error,
        stacktrace, tags, source, priority, executor, queue, key, run_at, earlier, progress,
        result, retry_of, payload, persist, requeue, owner, epoch, crashes, cancel_requested,
    ) = row  # fmt: skip
    if not (0 <= epoch < _MOST and 0 <= crashes < _MOST and 0 <= retries_used < _MOST):
        raise ValueError("a counter is out of range")
    if source not in _SOURCES or executor not in _EXECUTORS:
        raise ValueError(f"source is {source!r}, executor is {executor!r}")
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
        None if tags is None else _to_tags(tags),
        source,
        priority,
        executor,
        queue,
        key,
        None if run_at is None else moment(run_at),
        tuple(_to_attempt(*parts) for parts in json.loads(earlier)) if earlier else (),
        None if progress is None else _to_progress(*json.loads(progress)),
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
        if level not in _LEVELS:
            raise ValueError(f"level is {level!r}")
        more = None if extra is None else json.loads(extra)
        return LogEntry(seq, moment(time), attempt, level, message, more)
    except _DAMAGE as error:
        said = f"this line is stored in a form that cannot be read: {error}: {text(message)}"
        return LogEntry(seq if isinstance(seq, int) else 0, _EPOCH, 0, "warning", said)


def _from_attempt(attempt: Attempt) -> list[Any]:
    ended = None if attempt.ended_at is None else micros(attempt.ended_at)
    return [attempt.number, micros(attempt.started_at), ended, attempt.error]


def _to_attempt(number: int, started: int, ended: int | None, error: str | None) -> Attempt:
    _expect("earlier", number, int)
    _expect("earlier", error, str, type(None))
    return Attempt(number, moment(started), None if ended is None else moment(ended), error)


def _to_tags(stored: str) -> dict[str, str]:
    tags = json.loads(stored)
    _expect("tags", tags, dict)
    for value in tags.values():
        _expect("tags", value, str)
    found: dict[str, str] = tags
    return found


def _from_progress(progress: Progress) -> list[Any]:
    marks = [[mark.attempt, micros(mark.time), mark.done] for mark in progress.marks]
    return [progress.done, progress.total, progress.message, marks]


def _to_progress(
    done: float, total: float | None, message: str | None, marks: Sequence[Sequence[Any]] = ()
) -> Progress:
    _expect("progress", done, float, int)
    _expect("progress", total, float, int, type(None))
    _expect("progress", message, str, type(None))
    known = (ProgressMark(attempt, moment(time), then) for attempt, time, then in marks)
    return Progress(done, total, message, tuple(known))


def _expect(column: str, value: object, *kinds: type) -> None:
    if type(value) not in kinds:
        raise TypeError(f"{column} holds {type(value).__name__}")
