"""From roll-ups to the figures people read: totals, success rates, percentiles, charts.

Pure functions over what ``TaskReader.rollups`` and ``TaskReader.unfinished`` return.
Durations are seconds, over the tasks that ran to an end of their own (SUCCESS and FAILED);
percentiles are within 5 % of the exact ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from .backends.base import Unfinished
from .records import FINISHED, TaskStatus
from .rollups import Resolution, RollupEvent, RollupKey, RollupValue, floor, value_of

SeriesRange = Literal["15m", "1h", "6h", "24h", "7d", "30d"]

_RAN = frozenset({TaskStatus.SUCCESS.value, TaskStatus.FAILED.value})
_STATUSES = frozenset(status.value for status in TaskStatus)


class Histogram:
    """Values by logarithmic bucket, as roll-ups keep them."""

    def __init__(self) -> None:
        self._buckets: defaultdict[int, RollupValue] = defaultdict(RollupValue)

    def add(self, bucket: int, value: RollupValue) -> None:
        """Count what one roll-up counted."""
        self._buckets[bucket].add(value)

    def total(self) -> RollupValue:
        """All buckets in one."""
        total = RollupValue()
        for value in self._buckets.values():
            total.add(value)
        return total

    def percentile(self, share: float) -> float | None:
        """The value in seconds that *share* (0..1) of all do not exceed, None without any.

        The nearest rank is looked up in the buckets, and the middle of its bucket, kept
        within the least and greatest value seen there, stands for it.
        """
        rank = math.ceil(share * self.total().n)
        for bucket in sorted(self._buckets):
            value = self._buckets[bucket]
            rank -= value.n
            if value.n and rank <= 0:
                return min(max(value_of(bucket), value.low / 1e6), value.high / 1e6)
        return None


@dataclass(frozen=True, slots=True)
class Durations:
    """How long tasks ran, in seconds; all None when none did."""

    avg: float | None = None
    min: float | None = None
    max: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None

    @classmethod
    def of(cls, histogram: Histogram) -> Durations:
        """The durations that a histogram holds."""
        total = histogram.total()
        if not total.n:
            return cls()
        return cls(
            avg=total.total / total.n / 1e6,
            min=total.low / 1e6,
            max=total.high / 1e6,
            p50=histogram.percentile(0.50),
            p95=histogram.percentile(0.95),
            p99=histogram.percentile(0.99),
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums over a set of tasks. ``counts`` names every status, zeros included."""

    counts: Mapping[TaskStatus, int]
    durations: Durations

    @property
    def total(self) -> int:
        """How many tasks, finished or not."""
        return sum(self.counts.values())

    @property
    def finished(self) -> int:
        """How many of them are finished."""
        return sum(self.counts[status] for status in FINISHED)

    @property
    def success_rate(self) -> float:
        """Succeeded of finished ones, 0..1; 0.0 when none has finished."""
        return self.counts[TaskStatus.SUCCESS] / self.finished if self.finished else 0.0


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures over all tasks, and by function name in alphabetical order."""

    overall: Figures
    functions: Mapping[str, Figures]


class _Gathered:
    """Figures in the making."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(TaskStatus, 0)
        self.ran = Histogram()

    def figures(self) -> Figures:
        return Figures(self.counts, Durations.of(self.ran))


def summarize(
    rollups: Mapping[RollupKey, RollupValue], unfinished: Mapping[Unfinished, int]
) -> Metrics:
    """The figures over everything the roll-ups counted and all that waits or runs now."""
    overall = _Gathered()
    functions: defaultdict[str, _Gathered] = defaultdict(_Gathered)
    for key, value in rollups.items():
        if key.event not in _STATUSES:
            continue
        for part in (overall, functions[key.func_name]):
            part.counts[TaskStatus(key.event)] += value.n
            if key.event in _RAN:
                part.ran.add(key.bucket, value)
    for group, n in unfinished.items():
        overall.counts[group.status] += n
        functions[group.func_name].counts[group.status] += n
    return Metrics(
        overall.figures(), {name: functions[name].figures() for name in sorted(functions)}
    )


@dataclass(frozen=True, slots=True)
class Window:
    """The time a chart shows, in whole steps; the last one holds the present."""

    since: datetime
    until: datetime
    step: timedelta
    resolution: Resolution


_SPANS: dict[SeriesRange, tuple[timedelta, timedelta, Resolution]] = {
    "15m": (timedelta(minutes=15), timedelta(minutes=1), "minute"),
    "1h": (timedelta(hours=1), timedelta(minutes=1), "minute"),
    "6h": (timedelta(hours=6), timedelta(minutes=2), "minute"),
    # The counters of a day's minutes may be as many as its tasks; those of its hours are not.
    "24h": (timedelta(hours=24), timedelta(hours=1), "hour"),
    "7d": (timedelta(days=7), timedelta(hours=1), "hour"),
    "30d": (timedelta(days=30), timedelta(hours=4), "hour"),
}


def window(span: SeriesRange, now: datetime) -> Window:
    """The window of at most 180 steps that ends with the step *now* lies in."""
    length, step, resolution = _SPANS[span]
    until = floor(now, step) + step
    return Window(until - length, until, step, resolution)


@dataclass(frozen=True, slots=True)
class SeriesBucket:
    """What happened from ``start`` on, for one step; times in seconds, None without tasks."""

    start: datetime
    started: int
    succeeded: int
    failed: int
    retried: int
    p50: float | None
    p95: float | None
    p99: float | None
    wait_p95: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """A chart's data: a bucket for every step of the window, empty ones included."""

    window: Window
    buckets: tuple[SeriesBucket, ...]


@dataclass(slots=True)
class _Step:
    """A bucket in the making."""

    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    ran: Histogram = field(default_factory=Histogram)
    waited: Histogram = field(default_factory=Histogram)

    def add(self, key: RollupKey, value: RollupValue) -> None:
        self.counts[key.event] += value.n
        if key.event in _RAN:
            self.ran.add(key.bucket, value)
        elif key.event == RollupEvent.STARTED:
            self.waited.add(key.bucket, value)

    def bucket(self, start: datetime) -> SeriesBucket:
        return SeriesBucket(
            start=start,
            started=self.counts[RollupEvent.STARTED],
            succeeded=self.counts[TaskStatus.SUCCESS],
            failed=self.counts[TaskStatus.FAILED],
            retried=self.counts[RollupEvent.RETRIED],
            p50=self.ran.percentile(0.50),
            p95=self.ran.percentile(0.95),
            p99=self.ran.percentile(0.99),
            wait_p95=self.waited.percentile(0.95),
        )


def series(rollups: Mapping[RollupKey, RollupValue], shown: Window) -> Series:
    """Roll-ups as the buckets of a chart; those outside the window are left out."""
    steps: defaultdict[datetime, _Step] = defaultdict(_Step)
    for key, value in rollups.items():
        steps[floor(key.start, shown.step)].add(key, value)
    number = (shown.until - shown.since) // shown.step
    starts = (shown.since + shown.step * index for index in range(number))
    return Series(shown, tuple(steps[start].bucket(start) for start in starts))
