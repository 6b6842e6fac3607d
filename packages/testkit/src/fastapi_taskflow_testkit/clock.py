"""A clock that stands still until a test moves it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(order=True, slots=True)
class VirtualTimer:
    """A call that happens when the clock gets there; of two due at once the older is first."""

    due: float
    number: int
    callback: Callable[[], object] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Let it never happen. Twice is once."""
        self.cancelled = True


class VirtualClock:
    """A `Clock` for tests: no time passes but through `advance`.

    Args:
        wall: What the wall clock shows at first, an aware datetime; noon of a day in 2026
            unless given.

    Raises:
        ValueError: *wall* is not aware.
    """

    def __init__(self, wall: datetime = NOON) -> None:
        self._monotonic = 0.0
        self._timers: list[VirtualTimer] = []
        self._made = 0
        self.set_wall(wall)

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        return self._wall + timedelta(seconds=self._monotonic - self._wall_set_at)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._monotonic

    def call_later(self, seconds: float, callback: Callable[[], object]) -> VirtualTimer:
        """Call back when so many seconds have passed, from within `advance`."""
        self._made += 1
        timer = VirtualTimer(self._monotonic + max(0.0, seconds), self._made, callback)
        heapq.heappush(self._timers, timer)
        return timer

    @property
    def pending(self) -> int:
        """How many timers wait."""
        return sum(not timer.cancelled for timer in self._timers)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass; timers that fall due are called in order, each at its time.

        Timers that such a call makes count too, if they fall due within these seconds. What
        they start on an event loop runs when the test next awaits something.

        Raises:
            ValueError: *seconds* is negative: time does not go back. See `set_wall`.
        """
        if seconds < 0:
            raise ValueError(f"seconds must be 0 or more, got {seconds!r}")
        end = self._monotonic + seconds
        while self._timers and self._timers[0].due <= end:
            timer = heapq.heappop(self._timers)
            self._monotonic = max(self._monotonic, timer.due)
            if not timer.cancelled:
                timer.callback()
        self._monotonic = end

    def set_wall(self, wall: datetime) -> None:
        """Set the wall clock, as an administrator or NTP would; no timer notices.

        Raises:
            ValueError: *wall* is not aware.
        """
        if wall.utcoffset() is None:
            raise ValueError(f"wall must be an aware datetime, got {wall!r}")
        self._wall = wall.astimezone(UTC)
        self._wall_set_at = self._monotonic
