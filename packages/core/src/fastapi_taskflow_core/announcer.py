"""From what happens in the engine to what observers are told."""

from __future__ import annotations

from .engine.feed import Change, Feed, Happening, Said
from .observers import Event, LifecycleEvent, LogEvent, ObserverChain
from .records import TaskStatus
from .sealing import hidden
from .surroundings import Clock


def announce(feed: Feed, observers: ObserverChain, clock: Clock) -> None:
    """Tell *observers* all that the feed publishes; without observers it costs nothing."""
    if not observers:
        return

    def tell(happening: Happening) -> None:
        if isinstance(happening, Change | Said):
            observers.publish(_event(happening, clock))

    feed.subscribe(tell)


def _event(happening: Change | Said, clock: Clock) -> Event:
    task = happening.task
    if isinstance(happening, Said):
        entry = happening.entry
        return LogEvent(
            task.task_id,
            task.func_name,
            entry.time,
            entry.attempt,
            entry.level,
            entry.message,
            entry.extra,
            task.tags,
        )
    return LifecycleEvent(
        task.task_id,
        task.func_name,
        task.status,
        happening.previous,
        clock.now(),
        task.attempt,
        task.tags,
        happening.error or hidden(task.error),
        task.duration,
        task.run_at if task.status is TaskStatus.PENDING else None,
    )
