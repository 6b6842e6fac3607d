"""The way from the chain to one observer."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import Context
from itertools import count
from typing import Any, NamedTuple

from .base import Event, ImmediateObserver, LogEvent, TaskObserver

CAPACITY = 10_000
"""Events that may wait for one observer."""

PATIENCE = 5.0
"""Seconds that the application's start waits for an observer's."""

_FLUSH_SHARE = 0.75
_BURST = 50

_logger = logging.getLogger(__name__)


class ObserverHealth(NamedTuple):
    """How one observer fares: calls that failed, events that it never got, events that wait."""

    observer: str
    failures: int
    dropped: int
    waiting: int


class Outlet(ABC):
    """One observer, its troubles, and how events reach it."""

    def __init__(self, observer: TaskObserver) -> None:
        self._observer = observer
        self._name = type(observer).__qualname__
        self._failures = 0

    @abstractmethod
    def put(self, event: Event) -> None:
        """Take the event, at once and without raising."""

    @abstractmethod
    async def startup(self) -> None:
        """Start the observer; wait for it, but not for long."""

    @abstractmethod
    async def flush(self, timeout: float) -> None:
        """Deliver what waits, as far as *timeout* seconds allow."""

    @abstractmethod
    async def close(self, timeout: float) -> None:
        """Deliver what waits and close the observer, within *timeout* seconds."""

    @abstractmethod
    def health(self) -> ObserverHealth:
        """How the observer fares."""

    def _failed(self, error: BaseException) -> None:
        self._failures += 1
        if self._failures == 1:
            _logger.error(
                "observer %s failed; further failures are only counted", self._name, exc_info=error
            )

    async def _attempt(self, call: Coroutine[Any, Any, None]) -> None:
        try:
            await call
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._failed(error)
        except Exception as error:  # noqa: BLE001  observers may raise anything
            self._failed(error)

    def _begin(self, call: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # An empty context: what happens to be current where an event is published is
        # nothing that the observer should see or keep alive.
        return asyncio.get_running_loop().create_task(call, context=Context())

    async def _close_observer(self, timeout: float) -> None:
        closing = self._begin(self._attempt(self._observer.close()))
        await asyncio.wait({closing}, timeout=timeout)
        if closing.cancel():
            _logger.warning("observer %s did not close in time", self._name)


class ImmediateOutlet(Outlet):
    """For observers that never wait: called right where the event is published."""

    def __init__(self, observer: ImmediateObserver) -> None:
        super().__init__(observer)
        self._log, self._lifecycle = observer.log, observer.lifecycle
        self._starting: asyncio.Task[None] | None = None

    def put(self, event: Event) -> None:
        """Call the observer."""
        try:
            if isinstance(event, LogEvent):
                self._log(event)
            else:
                self._lifecycle(event)
        except Exception as error:  # noqa: BLE001  observers may raise anything
            self._failed(error)

    async def startup(self) -> None:
        """Start the observer; wait for it, but not for long."""
        self._starting = self._begin(self._attempt(self._observer.startup()))
        await asyncio.wait({self._starting}, timeout=PATIENCE)

    async def flush(self, timeout: float) -> None:
        """Nothing ever waits here."""

    async def close(self, timeout: float) -> None:
        """Close the observer."""
        await self._close_observer(timeout)

    def health(self) -> ObserverHealth:
        """How the observer fares."""
        return ObserverHealth(self._name, self._failures, dropped=0, waiting=0)


class QueuedOutlet(Outlet):
    """For all others: a bounded queue, and a task that empties it and then ends."""

    def __init__(self, observer: TaskObserver) -> None:
        super().__init__(observer)
        self._waiting: deque[Event] = deque()
        self._dropped = 0
        self._worker: asyncio.Task[None] | None = None
        self._home: asyncio.AbstractEventLoop | None = None
        self._started = False

    def put(self, event: Event) -> None:
        """Put the event in the queue, or count it as dropped."""
        if len(self._waiting) >= CAPACITY:
            self._drop(1)
            return
        self._waiting.append(event)
        with suppress(RuntimeError):  # outside an event loop it waits for the next one
            self._work()

    async def startup(self) -> None:
        """Start the observer on this event loop; wait for it, but not for long."""
        await asyncio.wait({self._work()}, timeout=PATIENCE)

    async def flush(self, timeout: float) -> None:
        """Deliver what waits, as far as *timeout* seconds allow."""
        if self._waiting or self._busy():
            await asyncio.wait({self._work()}, timeout=timeout)

    async def close(self, timeout: float) -> None:
        """Deliver what waits, then close the observer."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout
        await self.flush(timeout * _FLUSH_SHARE)
        if self._worker is not None and self._home is asyncio.get_running_loop():
            self._worker.cancel()
        if self._waiting:
            self._drop(len(self._waiting))
            self._waiting.clear()
        await self._close_observer(max(0.0, deadline - clock()))
        self._worker = self._home = None

    def health(self) -> ObserverHealth:
        """How the observer fares."""
        return ObserverHealth(self._name, self._failures, self._dropped, len(self._waiting))

    def _busy(self) -> bool:
        return self._worker is not None and not self._worker.done()

    def _work(self) -> asyncio.Task[None]:
        """The task that delivers on the running event loop."""
        loop = asyncio.get_running_loop()
        if self._home is not loop:
            self._home, self._worker, self._started = loop, None, False
        if self._worker is None or self._worker.done():
            self._worker = self._begin(self._deliver())
        return self._worker

    async def _deliver(self) -> None:
        if not self._started:
            self._started = True
            await self._attempt(self._observer.startup())
        for n in count(1):
            if not self._waiting:
                return
            event = self._waiting.popleft()
            if isinstance(event, LogEvent):
                await self._attempt(self._observer.on_log(event))
            else:
                await self._attempt(self._observer.on_lifecycle(event))
            if n % _BURST == 0:  # an observer that never waits must not keep the loop
                await asyncio.sleep(0)

    def _drop(self, events: int) -> None:
        if not self._dropped:
            _logger.warning(
                "observer %s is too slow: events are dropped and only counted", self._name
            )
        self._dropped += events
