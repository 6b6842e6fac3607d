"""Slots at a fixed distance, counted from the Unix epoch."""

from __future__ import annotations

from datetime import datetime, timedelta

from .slots import EPOCH

_LEAST = 0.001
_UNITS = ((86_400_000_000, "day"), (3_600_000_000, "hour"), (60_000_000, "minute"))


class Every:
    """A slot at each multiple of *seconds* since the Unix epoch.

    Raises:
        ValueError: Less than a millisecond, or more than time has.
    """

    timezone = "UTC"

    def __init__(self, seconds: float) -> None:
        if seconds < _LEAST:
            raise ValueError(f"every must be at least {_LEAST} seconds, got {seconds!r}")
        try:
            self._period = timedelta(seconds=seconds)
        except OverflowError:
            raise ValueError(f"every is too long: {seconds!r} seconds") from None
        self.expression = f"every={seconds:.12g}"
        self.words = _words(seconds, self._period)

    def after(self, moment: datetime) -> datetime | None:
        """The first slot later than *moment*, None when time is over."""
        try:
            return EPOCH + ((moment - EPOCH) // self._period + 1) * self._period
        except OverflowError:
            return None


def _words(seconds: float, period: timedelta) -> str:
    microseconds = period // timedelta(microseconds=1)
    for size, unit in _UNITS:
        number, rest = divmod(microseconds, size)
        if not rest:
            return f"every {unit}" if number == 1 else f"every {number} {unit}s"
    return "every second" if seconds == 1 else f"every {seconds:.12g} seconds"
