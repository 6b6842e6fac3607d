"""Metrics that cost the same at a thousand and at ten million tasks.

Every finished task adds to counters per minute and per hour, function, queue and event.
Durations go into a histogram with logarithmic buckets of factor ``2 ** (1/8)``, so a
percentile read from it is within 5 % of the exact one (half a bucket is 4.4 %).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

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


class RollupKey(NamedTuple):
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
    counted: Rollups = {}
    to_start = _TO_START[resolution]
    for task in finished:
        ended = task.end_time or task.created_at
        ran = 0
        if task.start_time is not None:
            ran = _microseconds(ended - task.start_time)
            first = task.earlier[0].started_at if task.earlier else task.start_time
            waited = _microseconds(first - task.created_at)
            _count(counted, task, task.start_time.replace(**to_start), _STARTED, waited)
        end = ended.replace(**to_start)
        _count(counted, task, end, task.status.value, ran)
        for _ in range(task.retries_used):
            _count(counted, task, end, _RETRIED, 0)
    return counted


_TO_START: dict[Resolution, dict[str, int]] = {
    "minute": {"second": 0, "microsecond": 0},
    "hour": {"minute": 0, "second": 0, "microsecond": 0},
}
_STARTED, _RETRIED = RollupEvent.STARTED.value, RollupEvent.RETRIED.value


def _count(
    counted: Rollups, task: TaskRecord, start: datetime, event: str, microseconds: int
) -> None:
    key = RollupKey(start, task.func_name, task.queue, event, bucket_of(microseconds))
    value = counted.get(key)
    if value is None:
        counted[key] = RollupValue(1, microseconds, microseconds, microseconds)
        return
    value.n += 1
    value.total += microseconds
    if microseconds < value.low:
        value.low = microseconds
    elif microseconds > value.high:
        value.high = microseconds


def _microseconds(span: timedelta) -> int:
    return max(0, (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds)
