"""From which level on a log line is worth keeping."""

from __future__ import annotations

from typing import get_args

from ..records import LogLevel

_LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)


def levels_from(min_level: LogLevel) -> frozenset[LogLevel]:
    """*min_level* and everything above it.

    Raises:
        ValueError: there is no such level.
    """
    if min_level not in _LEVELS:
        raise ValueError(
            f"min_level must be one of {', '.join(map(repr, _LEVELS))},"
            f" got {type(min_level).__name__} {min_level!r}"
        )
    return frozenset(_LEVELS[_LEVELS.index(min_level) :])
