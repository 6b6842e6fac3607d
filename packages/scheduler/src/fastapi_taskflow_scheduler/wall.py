"""What the clocks on the walls of a zone show. Instants are aware UTC, wall times are naive."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

_DAY = timedelta(days=1)
"""No zone has changed its offset and changed it back within a day since 1970."""


class Zone:
    """A zone of the IANA database.

    Raises:
        ValueError: There is none of this name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            self._info = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            close = get_close_matches(name, available_timezones(), 1)
            hint = f"did you mean {close[0]!r}?" if close else "such as 'Europe/Berlin'"
            raise ValueError(f"timezone {name!r} is not in the IANA database, {hint}") from None

    def wall(self, instant: datetime) -> datetime:
        """What the clocks show then."""
        return instant.astimezone(self._info).replace(tzinfo=None, fold=0)

    def offset(self, instant: datetime) -> timedelta:
        """How far the clocks are ahead of UTC then."""
        offset = instant.astimezone(self._info).utcoffset()
        assert offset is not None
        return offset

    def first(self, wall: datetime) -> datetime:
        """The first instant at which the clocks show *wall*.

        If they skip it, the first instant after the skipped time.
        """
        earlier = self._by_offset(wall, fold=0)
        if self.wall(earlier) == wall:
            return earlier
        # Of a skipped time, fold 0 counts by the offset before, fold 1 by the one after (PEP 495).
        end = self.change(self._by_offset(wall, fold=1), earlier)
        return earlier if end is None else end

    def change(self, since: datetime, until: datetime) -> datetime | None:
        """The first instant in (since, until] with another offset than *since*, to the second."""
        offset = self.offset(since)
        while since < until:
            step = min(since + _DAY, until)
            if self.offset(step) != offset:
                return self._first_other(since, step, offset)
            since = step
        return None

    def _first_other(self, same: datetime, other: datetime, offset: timedelta) -> datetime:
        # Offsets change at whole seconds.
        low, high = int(same.timestamp()), math.ceil(other.timestamp())
        while high - low > 1:
            middle = (low + high) // 2
            if self.offset(datetime.fromtimestamp(middle, UTC)) == offset:
                low = middle
            else:
                high = middle
        return datetime.fromtimestamp(high, UTC)

    def _by_offset(self, wall: datetime, fold: int) -> datetime:
        return wall.replace(tzinfo=self._info, fold=fold).astimezone(UTC)
