"""What the outside world gives us: time, ids and chance, in one object handed to all.

Tests hand over a `Surroundings` with a clock of their own; nothing else in the package
asks the operating system for the time.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
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

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call back on the running event loop after so many seconds."""
        return asyncio.get_running_loop().call_later(seconds, callback)


class TimeOrderedIds:
    """UUIDv7 (RFC 9562, section 5.7): unique everywhere, and in order of their making here.

    Random bits are drawn for a thousand ids at a time; within a millisecond the 12 bits of
    ``rand_a`` count up, so that ids of one process sort as they were made.
    """

    _DRAW = 1024

    def __init__(self) -> None:
        self._millisecond = 0
        self._count = 0
        self._random = ""
        self._at = 0

    def __call__(self) -> str:
        """A new id, as 36 characters."""
        millisecond = time.time_ns() // 1_000_000
        if millisecond > self._millisecond:
            self._millisecond, self._count = millisecond, 0
        elif self._count < 0xFFF:
            self._count += 1
        else:  # more than 4,096 within a millisecond, or a clock set back: borrow the next one
            self._millisecond, self._count = self._millisecond + 1, 0
        if self._at + 16 > len(self._random):
            self._random, self._at = os.urandom(8 * self._DRAW).hex(), 0
        bits = self._random[self._at : self._at + 16]
        self._at += 16
        stamp = f"{self._millisecond:012x}"
        variant = "89ab"[int(bits[0], 16) & 3]
        return f"{stamp[:8]}-{stamp[8:]}-7{self._count:03x}-{variant}{bits[1:4]}-{bits[4:]}"


@dataclass(slots=True)
class Surroundings:
    """Clock, ids and randomness (``random()`` in [0, 1)) for one manager."""

    clock: Clock = field(default_factory=SystemClock)
    new_id: Callable[[], str] = field(default_factory=TimeOrderedIds)
    random: Callable[[], float] = random.random
