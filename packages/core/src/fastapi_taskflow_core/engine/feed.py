"""What just happened to tasks, for whoever listens."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

from ..records import LogEntry, TaskRecord, TaskStatus

logger = logging.getLogger(__name__)


class Change(NamedTuple):
    """A task has a new status; ``previous`` is None for a new task.

    The record is the living one: read it at once, or copy it.
    """

    task: TaskRecord
    previous: TaskStatus | None
    error: str | None = None
    """What to tell of the error where the record has it encrypted."""


class Said(NamedTuple):
    """A task has logged a line."""

    task: TaskRecord
    entry: LogEntry


class Moved(NamedTuple):
    """A task has said how far it is."""

    task: TaskRecord


Happening = Change | Said | Moved
Subscriber = Callable[[Happening], None]


class Feed:
    """Hands on what happens, at once and in order, on the event loop."""

    def __init__(self) -> None:
        self.subscribers: tuple[Subscriber, ...] = ()
        """Whoever listens; while nobody does, nothing needs to be published."""

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call *subscriber* with everything from now on; the returned function ends that."""
        self.subscribers = (*self.subscribers, subscriber)

        def unsubscribe() -> None:
            self.subscribers = tuple(each for each in self.subscribers if each is not subscriber)

        return unsubscribe

    def publish(self, happening: Happening) -> None:
        """Tell every subscriber; one that raises harms nobody."""
        for subscriber in self.subscribers:
            try:
                subscriber(happening)
            except Exception:
                logger.exception("a subscriber to task events failed")
