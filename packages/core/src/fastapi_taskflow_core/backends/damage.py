"""What nobody here wrote: edited by hand, or by a disk. It is shown as what it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import get_args

from ..records import ExecutorKind, LogEntry, LogLevel, Source, TaskRecord, TaskStatus

DAMAGE = (TypeError, ValueError, LookupError, OverflowError, RecursionError)
"""What reading something damaged may raise."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_SOURCES = frozenset(get_args(Source))
_EXECUTORS = frozenset(get_args(ExecutorKind))
_LEVELS = frozenset(get_args(LogLevel))
_MOST = 2**31 - 1
"""Where counters of attempts, crashes and owners are no longer believed: columns end here."""


class Shape:
    """Which types some values have, by their names and in that order."""

    def __init__(self, kinds: Mapping[str, Collection[type]]) -> None:
        self._kinds = kinds
        # There are few combinations of types, and what is read has one of them.
        self._wrong = lru_cache(maxsize=256)(self._examine)

    def check(self, values: Iterable[object]) -> None:
        """Do nothing if every value has one of its types.

        Raises:
            TypeError: One has not; the message names it.
        """
        wrong = self._wrong(tuple(map(type, values)))
        if wrong is not None:
            raise TypeError(wrong)

    def _examine(self, types: tuple[type, ...]) -> str | None:
        for (name, kinds), found in zip(self._kinds.items(), types, strict=True):
            if found not in kinds:
                return f"{name} is {found.__name__}"
        return None


def check_counters(epoch: int, crashes: int, retries_used: int) -> None:
    """Do nothing if a task can have such counters.

    Raises:
        ValueError: It cannot.
        TypeError: One is no number.
    """
    if not (0 <= epoch < _MOST and 0 <= crashes < _MOST and 0 <= retries_used < _MOST):
        raise ValueError("a counter is out of range")


def check_words(source: object, executor: object) -> None:
    """Do nothing if both are known.

    Raises:
        ValueError: One is not.
    """
    if source not in _SOURCES or executor not in _EXECUTORS:
        raise ValueError(f"source is {source!r}, executor is {executor!r}")


def check_level(level: object) -> None:
    """Do nothing if log lines have such a level.

    Raises:
        ValueError: They have not.
    """
    if level not in _LEVELS:
        raise ValueError(f"level is {level!r}")


def unreadable(
    task_id: object, func_name: object, queue: object, created_at: object, error: Exception
) -> TaskRecord:
    """What is shown of a task that cannot be read: FAILED, and why.

    It keeps its place in lists: a time that is none sorts behind all others, as it does in
    databases that admit it.
    """
    return TaskRecord(
        text(task_id),
        text(func_name),
        _moment(created_at),
        status=TaskStatus.FAILED,
        queue=text(queue),
        error=f"this task is stored in a form that cannot be read: {error}",
    )


def unreadable_line(seq: object, message: object, error: Exception) -> LogEntry:
    """What is shown of a log line that cannot be read."""
    said = f"this line is stored in a form that cannot be read: {error}: {text(message)}"
    return LogEntry(seq if isinstance(seq, int) else 0, _EPOCH, 0, "warning", said)


def text(value: object) -> str:
    """Something to show for a text, whatever it is."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else repr(value)


def _moment(value: object) -> datetime:
    if not isinstance(value, int | float):
        return _LAST
    try:
        return _EPOCH + timedelta(microseconds=int(value))
    except (OverflowError, ValueError):
        return _EPOCH if value < 0 else _LAST
