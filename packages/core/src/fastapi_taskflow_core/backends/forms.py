"""The forms in which backends store the parts of a task, and those parts again: no I/O.

Times are microseconds since the Unix epoch; what has structure is a list that JSON can hold. What
is stored already has these forms, so they can be added to and not changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from ..records import Attempt, Progress, ProgressMark

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Microseconds since the Unix epoch, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The aware UTC time so many microseconds after the Unix epoch."""
    return _EPOCH + timedelta(microseconds=microseconds)


def key_hash(key: str) -> bytes:
    """What stands for an idempotency key: equal for equal bytes only, on every database."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def from_attempts(attempts: Iterable[Attempt]) -> list[list[Any]]:
    """What is stored of attempts."""
    return [
        [
            it.number,
            micros(it.started_at),
            None if it.ended_at is None else micros(it.ended_at),
            it.error,
        ]
        for it in attempts
    ]


def to_attempts(stored: Iterable[Sequence[Any]]) -> tuple[Attempt, ...]:
    """The attempts of `from_attempts`; what cannot be one raises an error of `DAMAGE`."""
    return tuple([_to_attempt(*parts) for parts in stored])


def from_progress(progress: Progress) -> list[Any]:
    """What is stored of a progress."""
    marks = [[mark.attempt, micros(mark.time), mark.done] for mark in progress.marks]
    return [progress.done, progress.total, progress.message, marks]


def to_progress(stored: Sequence[Any]) -> Progress:
    """The progress of `from_progress`; what cannot be one raises an error of `DAMAGE`."""
    return _to_progress(*stored)


def to_tags(stored: Any) -> dict[str, str]:
    """The tags, if these are some.

    Raises:
        TypeError: They are not.
    """
    _expect("tags", stored, dict)
    for value in stored.values():
        _expect("tags", value, str)
    tags: dict[str, str] = stored
    return tags


def _to_attempt(number: int, started: int, ended: int | None, error: str | None) -> Attempt:
    _expect("earlier", number, int)
    _expect("earlier", error, str, type(None))
    return Attempt(number, moment(started), None if ended is None else moment(ended), error)


def _to_progress(
    done: float, total: float | None, message: str | None, marks: Sequence[Sequence[Any]] = ()
) -> Progress:
    # Those that were stored before there were marks have three parts.
    _expect("progress", done, float, int)
    _expect("progress", total, float, int, type(None))
    _expect("progress", message, str, type(None))
    known = [ProgressMark(attempt, moment(time), then) for attempt, time, then in marks]
    return Progress(done, total, message, tuple(known))


def _expect(part: str, value: object, *kinds: type) -> None:
    if type(value) not in kinds:
        raise TypeError(f"{part} holds {type(value).__name__}")
