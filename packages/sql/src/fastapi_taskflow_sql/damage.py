"""Rows that nobody here wrote: edited by hand, or by a disk. They are shown as what they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from fastapi_taskflow_core.records import TaskRecord, TaskStatus

from .connection import Row
from .schema import Column, Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_TEXT = frozenset({str})
_NUMBER = frozenset({int, bool})
_BYTES = frozenset({bytes, bytearray, memoryview})
_KINDS: dict[Kind, frozenset[type]] = {
    "id": _TEXT,
    "word": _TEXT,
    "name": _TEXT,
    "label": _TEXT,
    "text": _TEXT,
    "json": _TEXT,
    "int": _NUMBER,
    "bigint": _NUMBER,
    "flag": _NUMBER,
    "real": frozenset({float}),
    "hash": _BYTES,
    "blob": _BYTES,
}


class Shape:
    """Which types the values of some columns have, as far as a database can hold others."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._columns = columns
        # There are few combinations of types, and a row has one of them.
        self._wrong = lru_cache(maxsize=256)(self._examine)

    def check(self, row: Row) -> None:
        """Do nothing if every value is of the kind that its column is for.

        Raises:
            TypeError: One is not; the message names the column.
        """
        wrong = self._wrong(tuple(map(type, row)))
        if wrong is not None:
            raise TypeError(wrong)

    def _examine(self, types: tuple[type, ...]) -> str | None:
        for column, found in zip(self._columns, types, strict=True):
            if found is type(None) and column.null:
                continue
            if found not in _KINDS[column.kind]:
                return f"{column.name} is {found.__name__}"
        return None


def unreadable(
    task_id: object, func_name: object, queue: object, created_at: object, error: Exception
) -> TaskRecord:
    """What is shown of a task whose row cannot be read: FAILED, and why.

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
