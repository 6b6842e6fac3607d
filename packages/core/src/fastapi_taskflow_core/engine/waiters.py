"""Who waits for a batch to be written: any number, with deadlines, under one timer."""

from __future__ import annotations

import asyncio
from collections import deque

from ..errors import CommitTimeout
from ..surroundings import Clock, Timer

Waiter = asyncio.Future[None]


class Waiters:
    """Futures of those who wait, each with a deadline or none.

    A future of its own for each, so that who stops waiting leaves the others alone; one
    timer for all, because a timer for each would cost more than the waiting.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gathered: list[Waiter] = []
        self._deadlines: deque[tuple[float, float, Waiter]] = deque()
        self._timer: Timer | None = None
        self._expires_at = 0.0

    def join(self, timeout: float | None) -> Waiter:
        """Wait for the batch that gathers now, for *timeout* seconds at most."""
        waiter = asyncio.get_running_loop().create_future()
        self._gathered.append(waiter)
        if timeout is not None:
            deadline = self._clock.monotonic() + timeout
            self._deadlines.append((deadline, timeout, waiter))
            if self._timer is None or deadline < self._expires_at:
                self._expire_at(deadline)
        return waiter

    def take(self) -> list[Waiter]:
        """Those who wait for the batch that is written now."""
        taken, self._gathered = self._gathered, []
        return taken

    def give_back(self, waiters: list[Waiter]) -> None:
        """The batch was not written: they wait for the next one."""
        self._gathered = [waiter for waiter in waiters if not waiter.done()] + self._gathered

    def release(self, waiters: list[Waiter]) -> None:
        """The batch was written."""
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        while self._deadlines and self._deadlines[0][2].done():
            self._deadlines.popleft()
        if not self._deadlines and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __len__(self) -> int:
        """How many wait for the batch that gathers now."""
        return len(self._gathered)

    def _expire(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        kept: deque[tuple[float, float, Waiter]] = deque()
        for deadline, timeout, waiter in self._deadlines:
            if waiter.done():
                continue
            if deadline <= now:
                waiter.set_exception(CommitTimeout(timeout))
            else:
                kept.append((deadline, timeout, waiter))
        self._deadlines = kept
        if kept:
            self._expire_at(min(deadline for deadline, _, _ in kept))

    def _expire_at(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._expires_at = deadline
        self._timer = self._clock.call_later(deadline - self._clock.monotonic(), self._expire)
