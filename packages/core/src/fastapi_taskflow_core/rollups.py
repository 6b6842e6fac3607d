"""Metrics that cost the same at a thousand and at ten million tasks.

Every finished task adds to counters per minute and per hour, function, queue and event.
Durations go into a histogram with logarithmic buckets of factor ``2 ** (1/8)``, so a
percentile read from it is within 5 % of the exact one (half a bucket is 4.4 %).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil, log2
from typing import Literal, NamedTuple

from .records import TaskRecord, TaskStatus

Resolution = Literal["minute", "hour"]
STEP: dict[Resolution, timedelta] = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
KEPT: dict[Resolution, timedelta] = {"minute": timedelta(hours=25), "hour": timedelta(days=31)}
"""For how long charts may ask for the counters of a step; in the sums of all time they stay."""

_BUCKETS_PER_DOUBLING = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
        if not self.n or other.low < self.low:
            self.low = other.low
        if not self.n or other.high > self.high:
            self.high = other.high
        self.n += other.n
        self.total += other.total


Rollups = dict[RollupKey, RollupValue]


def bucket_of(microseconds: int) -> int:
    """The histogram bucket of a duration; 0 holds everything up to a microsecond."""
    return 0 if microseconds <= 1 else ceil(_BUCKETS_PER_DOUBLING * log2(microseconds))


def value_of(bucket: int) -> float:
    """The duration, in seconds, that stands for all in the bucket: its geometric middle."""
    return float(2 ** ((bucket - 0.5) / _BUCKETS_PER_DOUBLING)) / 1e6


def floor(moment: datetime, step: timedelta) -> datetime:
    """The start of the *step* that *moment* lies in, counted from the Unix epoch."""
    return moment - (moment - _EPOCH) % step


def tally(finished: Iterable[TaskRecord], resolution: Resolution) -> Rollups:
    """The counters that these finished tasks add to."""
    step = STEP[resolution]
    values: defaultdict[_Counted, list[int]] = defaultdict(list)
    retried: Counter[_Counted] = Counter()
    # Neighbours mostly lie in the same step: it is worked out again only when it is left.
    ended = begun = ended_until = begun_until = _EPOCH
    for task in finished:
        end, start = task.end_time or task.created_at, task.start_time
        func_name, queue = task.func_name, task.queue
        if not ended <= end < ended_until:
            ended = floor(end, step)
            ended_until = ended + step
        # A clock that was set back meanwhile makes nothing negative.
        took = 0 if start is None or end < start else (end - start) // _MICROSECOND
        values[ended, func_name, queue, _NAMES[task.status], bucket_of(took)].append(took)
        if task.retries_used > 0:
            retried[ended, func_name, queue, _RETRIED, 0] += task.retries_used
        if start is None:
            continue
        if not begun <= start < begun_until:
            begun = floor(start, step)
            begun_until = begun + step
        first = task.earlier[0].started_at if task.earlier else start
        created = task.created_at
        waited = 0 if first < created else (first - created) // _MICROSECOND
        values[begun, func_name, queue, _STARTED, bucket_of(waited)].append(waited)
    return {
        RollupKey(*key): RollupValue(len(some), sum(some), min(some), max(some))
        for key, some in values.items()
    } | {RollupKey(*key): RollupValue(n) for key, n in retried.items()}


_Counted = tuple[datetime, str, str, str, int]
_STARTED, _RETRIED = RollupEvent.STARTED.value, RollupEvent.RETRIED.value
_NAMES = {status: status.value for status in TaskStatus}
