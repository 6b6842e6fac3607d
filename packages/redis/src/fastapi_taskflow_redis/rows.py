r"""Stored text <-> record.

A task is up to three parts, each but the first after a line feed. The *head*, a JSON list of
status, owner, epoch, wish to end and end, is what a script may rewrite. The *body*, a JSON
list of what nearly every task has and then an object of what differs from its default, is
read by scripts and written here alone. The *payload* stands as it is, if there is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Any

from fastapi_taskflow_core.records import (
    Attempt,
    LogEntry,
    Progress,
    ProgressMark,
    TaskRecord,
    TaskStatus,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BODY = ("task_id", "func_name", "created_at", "queue", "executor", "start_time")
_HEAD = ("status", "owner", "epoch", "cancel_requested", "end_time")
_MORE = tuple(
    name
    for name in TaskRecord.__dataclass_fields__
    if name not in {*_BODY, *_HEAD, "payload", "logs"}
)
_head, _body, _more = attrgetter(*_HEAD), attrgetter(*_BODY), attrgetter(*_MORE)
_USUAL = _more(TaskRecord("", "", _EPOCH))
_HIGHEST = 2**31
_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode


def micros(moment: datetime) -> int:
    """Microseconds since the Unix epoch, exactly."""
    span = moment - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def moment(microseconds: int) -> datetime:
    """The aware UTC time so many microseconds after the Unix epoch."""
    return _EPOCH + timedelta(microseconds=microseconds)


def encoded(text: str) -> bytes:
    """The bytes of a text, whatever is in it."""
    return text.encode("utf-8", "surrogatepass")


def decoded(stored: bytes) -> str:
    """The text of bytes that `encoded` made."""
    return stored.decode("utf-8", "surrogatepass")


def packed(value: object) -> bytes:
    """A value as JSON, as short as it can be."""
    return encoded(_dump(value))


def unpacked(stored: bytes) -> Any:
    """The value of `packed`."""
    return json.loads(stored)


def to_text(record: TaskRecord) -> bytes:
    """What is stored of a record."""
    status, owner, epoch, asked, end = _head(record)
    task_id, func_name, created, queue, executor, start = _body(record)
    ended = "null" if end is None else f'"{micros(end)}"'
    head = f'["{status.value}",{_quoted(owner)},{epoch},{1 if asked else 0},{ended}]'
    body = [
        task_id,
        func_name,
        micros(created),
        queue,
        executor,
        None if start is None else micros(start),
    ]
    more = _unusual(record)
    if status is TaskStatus.PENDING and owner is None:
        more["rank"] = _rank(record)
    if more:
        body.append(more)
    text = encoded(f"{head}\n{_dump(body)}")
    return text if record.payload is None else b"\n".join((text, record.payload))


def from_text(text: bytes) -> TaskRecord:
    """The record of `to_text`, as a script may have left it."""
    head, body, *payload = text.split(b"\n", 2)
    status, owner, epoch, asked, end = json.loads(head)
    task_id, func_name, created, queue, executor, start, *more = json.loads(body)
    unusual: dict[str, Any] = more[0] if more else {}
    for name in _DERIVED:
        unusual.pop(name, None)
    for name, read in _READ.items():
        if name in unusual:
            unusual[name] = read(unusual[name])
    return TaskRecord(
        task_id,
        func_name,
        moment(created),
        TaskStatus(status),
        None if start is None else moment(start),
        None if end is None else moment(int(end)),
        executor=executor,
        queue=queue,
        payload=payload[0] if payload else None,
        owner=owner,
        epoch=epoch,
        cancel_requested=bool(asked),
        **unusual,
    )


def to_line(entry: LogEntry) -> str:
    """What is stored of a log line."""
    return _dump(
        [entry.seq, micros(entry.time), entry.attempt, entry.level, entry.message, entry.extra]
    )


def from_line(line: bytes) -> LogEntry:
    """The log line of `to_line`."""
    seq, time, attempt, level, message, extra = json.loads(line)
    return LogEntry(seq, moment(time), attempt, level, message, extra)


@lru_cache(maxsize=64)
def _quoted(owner: str | None) -> str:
    return _dump(owner)


def _unusual(record: TaskRecord) -> dict[str, Any]:
    values = _more(record)
    if values == _USUAL:
        return {}
    more = {
        name: value
        for name, value, usual in zip(_MORE, values, _USUAL, strict=True)
        if value != usual
    }
    for name, write in _WRITTEN.items():
        if name in more:
            more[name] = write(more[name])
    if "idempotency_key" in more:
        more["key_hash"] = sha256(encoded(more["idempotency_key"])).hexdigest()
    return more


def _rank(record: TaskRecord) -> str:
    """What sorts before the ranks of tasks that are handed out later."""
    due = 0 if record.run_at is None else max(0, micros(record.run_at))
    priority = min(max(record.priority or 0, -_HIGHEST), _HIGHEST - 1)
    return f"{_HIGHEST - priority:010}.{due:018}."


def _from_attempt(attempt: Attempt) -> list[Any]:
    ended = None if attempt.ended_at is None else micros(attempt.ended_at)
    return [attempt.number, micros(attempt.started_at), ended, attempt.error]


def _to_attempt(number: int, started: int, ended: int | None, error: str | None) -> Attempt:
    return Attempt(number, moment(started), None if ended is None else moment(ended), error)


def _from_progress(progress: Progress) -> list[Any]:
    marks = [[mark.attempt, micros(mark.time), mark.done] for mark in progress.marks]
    return [progress.done, progress.total, progress.message, marks]


def _to_progress(
    done: float, total: float | None, message: str | None, marks: Sequence[Sequence[Any]] = ()
) -> Progress:
    known = (ProgressMark(attempt, moment(time), then) for attempt, time, then in marks)
    return Progress(done, total, message, tuple(known))


_DERIVED = ("rank", "key_hash")
"""What stands among the unusual for the sake of scripts."""
_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "run_at": micros,
    "earlier": lambda attempts: [_from_attempt(attempt) for attempt in attempts],
    "progress": _from_progress,
}
_READ: dict[str, Callable[[Any], Any]] = {
    "run_at": moment,
    "earlier": lambda attempts: tuple(_to_attempt(*parts) for parts in attempts),
    "progress": lambda parts: _to_progress(*parts),
}
