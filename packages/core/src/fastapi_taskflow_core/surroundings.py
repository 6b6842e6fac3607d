"""What the outside world gives us: time, ids and chance, in one object handed to all.

Tests hand over a `Surroundings` with a clock of their own; nothing else in the package
asks the operating system for the time.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol


class Timer(Protocol):
    """A call that has not happened yet."""

    def cancel(self) -> None:
        """Let it never happen. Twice is once."""


class Clock(Protocol):
    """Time as the package sees it."""

    def now(self) -> datetime:
        """The wall clock, aware UTC: for what is stored and shown."""

    def monotonic(self) -> float:
        """Seconds that never jump: for durations and deadlines."""

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call back on the running event loop after so many seconds."""


class SystemClock:
    """The clocks of this machine and the timers of the running event loop."""

    now = staticmethod(partial(datetime.now, UTC))  # no frame of its own: asked thrice a task
    """The wall clock, aware UTC."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call back on the running event loop after so many seconds."""
        return asyncio.get_running_loop().call_later(seconds, callback)


def time_ordered_id() -> str:
    """A new UUIDv7 (RFC 9562, section 5.7) as 36 characters.

    ``rand_a`` holds the fraction of the millisecond in 244 ns steps (method 3 of section
    6.2), so ids made one after another by a process sort in that order.
    """
    millisecond, rest = divmod(time.time_ns(), 1_000_000)
    fraction, chance = (rest << 12) // 1_000_000, random.getrandbits(62)
    # Numbers that fit a machine word and the old format operator: thrice as fast as the rest.
    return "%08x-%04x-7%03x-%04x-%012x" % (  # noqa: UP031
        millisecond >> 16,
        millisecond & 0xFFFF,
        fraction,
        0x8000 | chance >> 48,
        chance & 0xFFFF_FFFF_FFFF,
    )


@dataclass(slots=True, eq=False)
class Surroundings:
    """Clock, ids and randomness (``random()`` in [0, 1)) for one manager."""

    clock: Clock = field(default_factory=SystemClock)
    new_id: Callable[[], str] = time_ordered_id
    random: Callable[[], float] = random.random
