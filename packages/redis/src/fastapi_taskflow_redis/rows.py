r"""Stored text <-> record.

A task is up to three parts, each but the first after a line feed. The *head*, a JSON list of
status, owner, epoch, wish to end and end, is what a script may rewrite. The *body*, a JSON
list of what nearly every task has and then an object of what differs from its default, is
read by scripts and written here alone. The *payload* stands as it is, if there is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any

from fastapi_taskflow_core.backends.damage import Shape, check_counters, check_level, check_words
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
from fastapi_taskflow_core.records import LogEntry, TaskRecord, TaskStatus

_BODY = ("task_id", "func_name", "created_at", "queue", "executor", "start_time")
_HEAD = ("status", "owner", "epoch", "cancel_requested", "end_time")
_MORE = tuple(
    name
    for name in TaskRecord.__dataclass_fields__
    if name not in {*_BODY, *_HEAD, "payload", "logs"}
)
_head, _body, _more = attrgetter(*_HEAD), attrgetter(*_BODY), attrgetter(*_MORE)
_USUAL = _more(TaskRecord("", "", moment(0)))
_HIGHEST = 2**31
_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode


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


def from_text(text: bytes, task_id: str) -> TaskRecord:
    """The record of `to_text`, as a script may have left it, stored under this id.

    What nobody here wrote raises one of the errors of `DAMAGE`.
    """
    head, body, *payload = text.split(b"\n", 2)
    status, owner, epoch, asked, end = json.loads(head)
    stored_id, func_name, created, queue, executor, start, *more = json.loads(body)
    _SHAPE.check((status, owner, epoch, asked, end, func_name, created, queue, executor, start))
    if stored_id != task_id:
        raise ValueError(f"it is that of {stored_id!r:.100}")
    unusual: dict[str, Any] = more[0] if more else {}
    for name in _DERIVED:
        unusual.pop(name, None)
    for name, value in unusual.items():
        if (read := _READ.get(name)) is not None:
            unusual[name] = read(value)
        elif type(value) is not _KINDS.get(name):
            raise TypeError(f"{name} is {type(value).__name__}")
    record = TaskRecord(
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
    check_words(record.source, executor)
    check_counters(epoch, record.crashes, record.retries_used)
    return record


def to_line(entry: LogEntry) -> str:
    """What is stored of a log line."""
    return _dump(
        [entry.seq, micros(entry.time), entry.attempt, entry.level, entry.message, entry.extra]
    )


def from_line(line: bytes) -> LogEntry:
    """The log line of `to_line`; what is none raises one of the errors of `DAMAGE`."""
    seq, time, attempt, level, message, extra = json.loads(line)
    _LINE_SHAPE.check((seq, time, attempt, level, message, extra))
    check_level(level)
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
        more["key_hash"] = key_hash(more["idempotency_key"]).hex()
    return more


def _rank(record: TaskRecord) -> str:
    """What sorts before the ranks of tasks that are handed out later."""
    due = 0 if record.run_at is None else max(0, micros(record.run_at))
    priority = min(max(record.priority or 0, -_HIGHEST), _HIGHEST - 1)
    return f"{_HIGHEST - priority:010}.{due:018}."


_DERIVED = ("rank", "key_hash")
"""What stands among the unusual for the sake of scripts."""
_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "run_at": micros,
    "earlier": from_attempts,
    "progress": from_progress,
}
_READ: dict[str, Callable[[Any], Any]] = {
    "run_at": moment,
    "earlier": to_attempts,
    "progress": to_progress,
    "tags": to_tags,
}
_KINDS: dict[str, type] = {
    **dict.fromkeys(
        ("error", "stacktrace", "source", "idempotency_key", "result", "retry_of"), str
    ),
    **dict.fromkeys(("retries_used", "priority", "crashes"), int),
    **dict.fromkeys(("persist", "requeue_on_interrupt"), bool),
}
"""What the other unusual ones are."""
_SHAPE = Shape(
    {
        "status": {str},
        "owner": {str, type(None)},
        "epoch": {int},
        "cancel_requested": {int},
        "end_time": {str, type(None)},
        "func_name": {str},
        "created_at": {int},
        "queue": {str},
        "executor": {str},
        "start_time": {int, type(None)},
    }
)
_LINE_SHAPE = Shape(
    {
        "seq": {int},
        "time": {int},
        "attempt": {int},
        "level": {str},
        "message": {str},
        "extra": {dict, type(None)},
    }
)
