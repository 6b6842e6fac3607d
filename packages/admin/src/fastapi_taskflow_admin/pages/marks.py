"""Lines of a log as marks on the bars of attempts. Worked out without I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fastapi_taskflow_core.records import LogEntry, LogLevel

from . import formats
from .scales import Stretch

MARKED = 500
"""Lines that are looked at, the latest."""

_APART = 1
"""Percent of the axis in which lines share a mark, so that there are never many."""
_LONGEST = 60
_GRAVE: tuple[LogLevel, ...] = ("warning", "error")
_GRAVITY: tuple[LogLevel, ...] = ("debug", "info", *_GRAVE)


@dataclass(frozen=True, slots=True)
class Mark:
    """One line, or several at nearly the same time: the first of the gravest speaks for them."""

    x: float
    level: LogLevel
    words: str

    @property
    def grave(self) -> bool:
        """Whether it stands out."""
        return self.level in _GRAVE


@dataclass(frozen=True, slots=True)
class Said:
    """What an attempt said."""

    marks: Sequence[Mark] = ()
    words: str = formats.MISSING
    """How much, with how many warnings and errors."""


def said(log: Sequence[LogEntry], axis: Stretch) -> Mapping[int, Said]:
    """By attempt, what it said."""
    return {
        attempt: Said(_marks(entries, axis), _counted(entries))
        for attempt, entries in _grouped(log, lambda entry: entry.attempt).items()
    }


def _marks(entries: Sequence[LogEntry], axis: Stretch) -> list[Mark]:
    places = _grouped(entries, lambda entry: int(axis.percent(entry.time) / _APART))
    return [_mark(together, axis) for together in places.values()]


def _grouped(
    entries: Sequence[LogEntry], key: Callable[[LogEntry], int]
) -> Mapping[int, Sequence[LogEntry]]:
    groups: dict[int, list[LogEntry]] = {}
    for entry in entries:
        groups.setdefault(key(entry), []).append(entry)
    return groups


def _mark(together: Sequence[LogEntry], axis: Stretch) -> Mark:
    gravest = max(together, key=lambda entry: _GRAVITY.index(entry.level))
    level = f"{gravest.level}: " if gravest.level in _GRAVE else ""
    more = f" and {len(together) - 1} more" if len(together) > 1 else ""
    words = formats.first_line(gravest.message, _LONGEST)
    return Mark(
        axis.percent(gravest.time), gravest.level, f"{gravest.time:%H:%M:%S} {level}{words}{more}"
    )


def _counted(entries: Sequence[LogEntry]) -> str:
    levels = [entry.level for entry in entries]
    grave = [(levels.count(level), level) for level in _GRAVE]
    return ", ".join(
        [
            formats.count(len(entries)),
            *(f"{number} {level}{'s' * (number > 1)}" for number, level in grave if number),
        ]
    )
