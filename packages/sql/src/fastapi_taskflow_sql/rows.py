"""Row <-> record: microseconds for times, JSON for what has structure, bytes as they are."""

from __future__ import annotations

import json
from operator import attrgetter, itemgetter

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
from fastapi_taskflow_core.records import UNFINISHED, LogEntry, TaskRecord, TaskStatus

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

_OPEN = frozenset(status.value for status in UNFINISHED)
_HOLDING = frozenset(status.value for status in TaskStatus if status.holds_key)
_fields = attrgetter(*RECORD_COLUMNS)
_plain = attrgetter("task_id", "func_name", "queue", "executor", "owner", "status")
_times = attrgetter("created_at", "start_time", "end_time")
_rest = attrgetter(*(name for name in RECORD_COLUMNS if name not in PLAIN_COLUMNS))
_NOTHING_ELSE = _rest(TaskRecord("", "", moment(0)))
_changes = itemgetter(*(COLUMNS.index(name) for name in (*UPDATED, "task_id", "epoch")))
_SHAPE = shape_of(next(c for c in TASKS.columns if c.name == n) for n in RECORD_COLUMNS)
_LOG_SHAPE = shape_of(LOGS.columns[1:])
_place = itemgetter(
    *(RECORD_COLUMNS.index(name) for name in ("task_id", "func_name", "queue", "created_at"))
)
_dump = json.JSONEncoder(separators=(",", ":"), default=str).encode


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
        _dump(from_attempts(earlier)) if earlier else None,
        None if progress is None else _dump(from_progress(progress)),
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
