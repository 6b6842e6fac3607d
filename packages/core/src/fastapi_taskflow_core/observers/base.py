"""What an observer is told, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..records import LogLevel, TaskStatus


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A ``task_log`` line. ``time`` is aware UTC, ``attempt`` counts from 0."""

    task_id: str
    func_name: str
    time: datetime
    attempt: int
    level: LogLevel
    message: str
    extra: Mapping[str, Any] | None = None
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class LifecycleEvent:
    """A task's status changed. Times are aware UTC, ``attempt`` counts from 0."""

    task_id: str
    func_name: str
    status: TaskStatus
    previous: TaskStatus | None
    """None for a task that has just been added."""
    time: datetime
    attempt: int
    tags: Mapping[str, str] | None = None
    error: str | None = None
    duration: float | None = None
    """Seconds the attempt ran, None where it did not end."""
    retry_at: datetime | None = None
    """When the next attempt is due, where there is one."""


Event = LogEvent | LifecycleEvent


class TaskObserver:
    """Base of all observers: override what you want to hear of.

    Events come in order, one after another, on the application's event loop. An observer
    may wait for as long as it likes; others and the tasks do not wait for it. What it
    raises is logged the first time and counted. It must not block the event loop.
    """

    async def startup(self) -> None:
        """Called before the first event on an event loop; so possibly more than once."""

    async def on_log(self, event: LogEvent) -> None:
        """A task wrote a log line."""

    async def on_lifecycle(self, event: LifecycleEvent) -> None:
        """A task's status changed."""

    async def close(self) -> None:
        """Called when the application stops, with a deadline; also without a ``startup``."""


class ImmediateObserver(TaskObserver):
    """An observer that never waits, and so hears of everything while it happens."""

    def log(self, event: LogEvent) -> None:
        """A task wrote a log line. Must return at once."""

    def lifecycle(self, event: LifecycleEvent) -> None:
        """A task's status changed. Must return at once."""

    async def on_log(self, event: LogEvent) -> None:
        """A task wrote a log line."""
        self.log(event)

    async def on_lifecycle(self, event: LifecycleEvent) -> None:
        """A task's status changed."""
        self.lifecycle(event)
