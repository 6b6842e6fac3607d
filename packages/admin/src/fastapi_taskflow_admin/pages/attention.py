"""What somebody should look at: failures, full queues, late schedules, silent instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from fastapi_taskflow_core.backends.base import InstanceInfo
from fastapi_taskflow_core.backends.scheduling import SlotOutcome
from fastapi_taskflow_core.engine.queues import QueueStats
from fastapi_taskflow_core.schedules import ScheduleInfo

from . import formats
from .failures import Group
from .instances import state

_LATE = timedelta(seconds=60)
_NEARLY_FULL = 0.8


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to look at; ``href`` is relative to the dashboard."""

    kind: str
    subject: str
    words: str
    href: str
    since: datetime | None = None
    error: str = ""


def of_failures(groups: Sequence[Group]) -> Iterator[Concern]:
    """What failed alike."""
    for group in groups:
        yield Concern(
            "failed",
            group.func_name,
            f"{formats.count(group.count)} ×",
            f"/tasks?{group.href}",
            group.last,
            group.error,
        )


def of_queues(queues: Iterable[QueueStats]) -> Iterator[Concern]:
    """Queues that refuse tasks, soon will, or were told not to begin any."""
    for queue in queues:
        href = f"/queues?{urlencode({'q': queue.name})}"
        most = queue.max_size
        if most is not None and queue.waiting >= max(1, most * _NEARLY_FULL):
            full = "is full" if queue.waiting >= most else "is nearly full"
            words = f"{full}: {formats.count(queue.waiting)} of {formats.count(most)} wait"
            yield Concern("rejected", f"Queue {queue.name}", words, href)
        elif queue.paused and queue.waiting:
            words = f"is paused while {formats.count(queue.waiting)} wait"
            yield Concern("interrupted", f"Queue {queue.name}", words, href)


def of_schedules(schedules: Iterable[ScheduleInfo], now: datetime) -> Iterator[Concern]:
    """Schedules that missed their last slot, or that nobody has run when they were due."""
    for schedule in schedules:
        if schedule.paused or not schedule.last:
            continue
        last, every = schedule.last[0], schedule.options.every
        href = f"/schedules#schedule-{quote(schedule.name)}"
        if last.outcome is SlotOutcome.MISFIRED:
            words = "missed its last slot"
            yield Concern("retrying", f"Schedule {schedule.name}", words, href, last.at)
        elif every is not None and now - last.at > timedelta(seconds=every) + _LATE:
            yield Concern("retrying", f"Schedule {schedule.name}", "is late", href, last.at)


def of_instances(instances: Iterable[InstanceInfo]) -> Iterator[Concern]:
    """Processes that have not been heard of as often as they should."""
    for each in instances:
        told = state(each)
        if told.word in ("silent", "dead"):
            words = f"is {told.word}, last heard of {formats.duration(round(each.beat_age))} ago"
            name = f"Instance {each.host}, process {each.pid}"
            yield Concern(told.kind, name, words, f"/instances#instance-{quote(each.instance)}")
