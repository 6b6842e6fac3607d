"""Observer that keeps everything in lists, for tests."""

from __future__ import annotations

from ..records import LogLevel
from .base import ImmediateObserver, LifecycleEvent, LogEvent
from .levels import levels_from


class InMemoryLogger(ImmediateObserver):
    """Keeps events in ``log_events`` and ``lifecycle_events``, in order, without bound.

    Args:
        min_level: The lowest level of log lines to keep.

    Raises:
        ValueError: there is no such level.
    """

    def __init__(self, min_level: LogLevel = "debug") -> None:
        self._levels = levels_from(min_level)
        self.log_events: list[LogEvent] = []
        self.lifecycle_events: list[LifecycleEvent] = []

    def log(self, event: LogEvent) -> None:
        """Keep the event if its level is high enough."""
        if event.level in self._levels:
            self.log_events.append(event)

    def lifecycle(self, event: LifecycleEvent) -> None:
        """Keep the event."""
        self.lifecycle_events.append(event)

    def clear(self) -> None:
        """Forget everything kept so far."""
        self.log_events.clear()
        self.lifecycle_events.clear()
