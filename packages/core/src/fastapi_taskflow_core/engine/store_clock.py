"""What the backend's clock shows, without asking it each time."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..surroundings import Clock

_SLOW = 1.0
"""Seconds; an answer that took longer says too little about the moment it was given."""


class StoreClock:
    """The backend's clock, as of the last beat and the time since. Until then, this machine's.

    Whoever sets the clock of this machine does not move it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._anchor: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """The present, aware UTC."""
        if self._anchor is None:
            return self._clock.now()
        shown, at = self._anchor
        return shown + timedelta(seconds=self._clock.monotonic() - at)

    def heard(self, shown: datetime, asked: float, answered: float) -> None:
        """The backend said what its clock shows, some time between the two monotonic times."""
        if self._anchor is None or answered - asked < _SLOW:
            self._anchor = shown, (asked + answered) / 2
