"""Slots by the clocks of a zone, with a rule for the hours that they skip and show twice.

A pattern whose hour field admits every hour (``*/30 * * * *``) is a distance between runs: it
follows elapsed time, runs in both passes of an hour that comes twice and is silent while
clocks are put forward. Any other names times of day: each runs once a day, at its first pass,
and if the clocks skip it, at the first moment after.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fastapi_taskflow_core.errors import MissingExtra

from .wall import Zone
from .words import in_words

if TYPE_CHECKING:
    from croniter import croniter

_FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day": "1 to 31 or L",
    "month": "1 to 12 or jan to dec",
    "weekday": "0 to 7 (0 and 7 are Sunday) or sun to sat",
}
_SECOND = timedelta(seconds=1)
_ALL_HOURS = list(range(24))


class Cron:
    """The slots of a cron pattern.

    Args:
        text: Minute, hour, day, month and weekday, or ``@daily`` and the like.
        timezone: IANA name.

    Raises:
        ValueError: The pattern or the zone is none, or no slot ever comes.
        MissingExtra: croniter is not installed.
    """

    def __init__(self, text: str, timezone: str) -> None:
        self._pattern = _parsed(text)
        self._zone = Zone(timezone)
        self.expression = text
        self.timezone = timezone
        self.words = in_words(" ".join(self._pattern.expressions), text)
        hours = self._pattern.expanded[1]
        self._any_hour = hours == ["*"] or sorted(map(str, hours)) == sorted(map(str, _ALL_HOURS))
        if self._next_wall(datetime(2000, 1, 1)) is None:  # noqa: DTZ001  a wall time
            raise ValueError(f"cron {text!r} never comes: no year has such a day")

    def after(self, moment: datetime) -> datetime | None:
        """The first slot later than *moment*, None if there is none."""
        return self._by_distance(moment) if self._any_hour else self._by_time_of_day(moment)

    def _by_time_of_day(self, moment: datetime) -> datetime | None:
        wall = self._zone.wall(moment)
        while True:
            following = self._next_wall(wall)
            if following is None:
                return None
            slot = self._zone.first(following)
            if slot > moment:
                return slot
            wall = following

    def _by_distance(self, moment: datetime) -> datetime | None:
        # From one change of the offset to the next, wall time and elapsed time are the same.
        wall = self._zone.wall(moment)
        while True:
            following = self._next_wall(wall)
            if following is None:
                return None
            slot = (following - self._zone.offset(moment)).replace(tzinfo=UTC)
            change = self._zone.change(moment, slot)
            if change is None:
                return slot
            # The moment of the change may itself be a slot.
            moment, wall = change, self._zone.wall(change) - _SECOND

    def _next_wall(self, wall: datetime) -> datetime | None:
        try:
            found: datetime = self._pattern.get_next(datetime, wall.replace(microsecond=0))
        except (ValueError, OverflowError):  # no such day within 50 years, or beyond the year 9999
            return None
        return found


def _parsed(text: str) -> croniter:
    try:
        from croniter import croniter  # noqa: PLC0415  an extra
    except ImportError:
        raise MissingExtra("croniter, which reads cron patterns,", "scheduler") from None
    fields = text.split()
    if not text.startswith("@"):
        if len(fields) != len(_FIELDS):
            raise ValueError(
                f"cron needs five fields ({', '.join(_FIELDS)}), got {len(fields)} in {text!r}"
                + ("; for seconds use every=" if len(fields) == len(_FIELDS) + 1 else "")
            )
        for place, (field, (name, range_)) in enumerate(zip(fields, _FIELDS.items(), strict=True)):
            alone = ["*"] * len(_FIELDS)
            alone[place] = field
            # Those letters ask for chance, which every instance would have another of.
            if field[0] in "rRhH" or not croniter.is_valid(" ".join(alone)):
                raise ValueError(f"cron {name} {field!r} of {text!r} is not valid: {range_}")
    try:
        return croniter(text, 0.0)
    except (ValueError, KeyError) as error:
        raise ValueError(f"cron {text!r} is not valid: {error}") from None
