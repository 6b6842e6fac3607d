"""Fan out: every event to every observer, and none of them harms another or a task."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from .base import Event, ImmediateObserver, TaskObserver
from .outlet import ImmediateOutlet, ObserverHealth, Outlet, QueuedOutlet

__all__ = ["ObserverChain", "ObserverHealth"]


class ObserverChain:
    """Hands events to observers, each at its own pace.

    An `ImmediateObserver` is called within ``publish``. Any other has a queue of its own,
    emptied by an asyncio task that lives while there is something in it, on whichever
    event loop published last; so that events arrive without ``startup`` too.

    Args:
        observers: Who is told, in this order.

    Raises:
        TypeError: one of them is not a `TaskObserver`.
    """

    def __init__(self, observers: Sequence[TaskObserver] = ()) -> None:
        self._outlets = tuple(_outlet(place, each) for place, each in enumerate(observers))

    def __bool__(self) -> bool:
        """Whether anybody listens; if not, events need not even be made."""
        return bool(self._outlets)

    def publish(self, event: Event) -> None:
        """Tell everyone, without waiting. To be called on the event loop; never raises."""
        for outlet in self._outlets:
            outlet.put(event)

    async def startup(self) -> None:
        """Start every observer; one that takes longer than 5 seconds goes on by itself."""
        await asyncio.gather(*(outlet.startup() for outlet in self._outlets))

    async def flush(self, timeout: float) -> None:
        """Deliver what waits, as far as *timeout* seconds allow; what is left stays.

        For whoever is about to leave an event loop without ``close``: what an event loop
        that ends leaves behind goes out on the next one.
        """
        await asyncio.gather(*(outlet.flush(timeout) for outlet in self._outlets))

    async def close(self, timeout: float) -> None:
        """Deliver what waits and close every observer, within *timeout* seconds for all.

        Delivery may take three quarters of them. What is left is dropped and counted.
        """
        await asyncio.gather(*(outlet.close(timeout) for outlet in self._outlets))

    def health(self) -> Sequence[ObserverHealth]:
        """How each observer fares."""
        return [outlet.health() for outlet in self._outlets]


def _outlet(place: int, observer: TaskObserver) -> Outlet:
    if not isinstance(observer, TaskObserver):
        kind = "the class" if isinstance(observer, type) else type(observer).__name__
        raise TypeError(
            f"loggers[{place}] must be a TaskObserver instance, got {kind} {observer!r}"
        )
    if isinstance(observer, ImmediateObserver) and _never_waits(type(observer)):
        return ImmediateOutlet(observer)
    return QueuedOutlet(observer)


def _never_waits(kind: type[ImmediateObserver]) -> bool:
    return (
        kind.on_log is ImmediateObserver.on_log
        and kind.on_lifecycle is ImmediateObserver.on_lifecycle
    )
