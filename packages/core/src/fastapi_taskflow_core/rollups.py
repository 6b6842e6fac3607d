"""Metrics that cost the same at a thousand and at ten million tasks.

Every finished task adds to counters per minute and per hour, function, queue and event.
Durations go into a histogram with logarithmic buckets of factor ``2 ** (1/8)``, so a
percentile read from it is within 5 % of the exact one (half a bucket is 4.4 %).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal

from .records import TaskRecord

Resolution = Literal["minute", "hour"]
STEP: dict[Resolution, timedelta] = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}

_BUCKETS_PER_DOUBLING = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RollupEvent(StrEnum):
    """Counted beside the final statuses, which are events under their own names."""

    STARTED = "started"
    """A task's latest attempt began; the value is how long the task had waited."""
    RETRIED = "retried"
    """A further attempt was made; there is no value."""


@dataclass(frozen=True, slots=True)
class RollupKey:
    """What a counter counts. ``bucket`` is the histogram bucket of the value."""

    start: datetime
    func_name: str
    queue: str
    event: str
    bucket: int


@dataclass(slots=True)
class RollupValue:
    """A counter: how many, and the sum, least and greatest of their values in microseconds."""

    n: int = 0
    total: int = 0
    low: int = 0
    high: int = 0

    def add(self, other: RollupValue) -> None:
        """Count everything that *other* counted too."""
        if not other.n:
            return
        self.low = min(self.low, other.low) if self.n else other.low
        self.high = max(self.high, other.high) if self.n else other.high
        self.n += other.n
        self.total += other.total


Rollups = dict[RollupKey, RollupValue]


def bucket_of(microseconds: int) -> int:
    """The histogram bucket of a duration; 0 holds everything up to a microsecond."""
    return 0 if microseconds <= 1 else math.ceil(_BUCKETS_PER_DOUBLING * math.log2(microseconds))


def value_of(bucket: int) -> float:
    """The duration, in seconds, that stands for all in the bucket: its geometric middle."""
    return float(2 ** ((bucket - 0.5) / _BUCKETS_PER_DOUBLING)) / 1e6


def floor(moment: datetime, step: timedelta) -> datetime:
    """The start of the *step* that *moment* lies in, counted from the Unix epoch."""
    return moment - (moment - _EPOCH) % step


def tally(finished: Iterable[TaskRecord], resolution: Resolution) -> Rollups:
    """The counters that these finished tasks add to."""
    step = STEP[resolution]
    counted: Rollups = {}
    floors: dict[datetime, datetime] = {}
    for task in finished:
        for moment, event, microseconds in _events(task):
            second = moment.replace(microsecond=0)
            start = floors.get(second)
            if start is None:
                start = floors[second] = floor(second, step)
            key = RollupKey(start, task.func_name, task.queue, event, bucket_of(microseconds))
            value = counted.get(key)
            if value is None:
                counted[key] = RollupValue(1, microseconds, microseconds, microseconds)
            else:
                value.n += 1
                value.total += microseconds
                value.low = min(value.low, microseconds)
                value.high = max(value.high, microseconds)
    return counted


def _events(task: TaskRecord) -> Iterator[tuple[datetime, str, int]]:
    ended = task.end_time or task.created_at
    ran = 0 if task.start_time is None else _microseconds(ended - task.start_time)
    yield ended, task.status.value, ran
    if task.start_time is not None:
        first = task.earlier[0].started_at if task.earlier else task.start_time
        yield task.start_time, RollupEvent.STARTED.value, _microseconds(first - task.created_at)
    for _ in range(task.retries_used):
        yield ended, RollupEvent.RETRIED.value, 0


def _microseconds(span: timedelta) -> int:
    return max(0, span // timedelta(microseconds=1))
