"""From roll-ups to the figures people read: totals, success rates, percentiles, charts.

Pure functions over what ``TaskReader.rollups`` and ``TaskReader.unfinished`` return.
Durations are seconds, over the tasks that ran to an end of their own (SUCCESS and FAILED);
percentiles are within 5 % of the exact ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from .backends.base import Unfinished
from .counts import STATUSES
from .records import FINISHED, TaskStatus
from .rollups import KEPT, Resolution, RollupEvent, RollupKey, RollupValue, floor, value_of

SeriesRange = Literal["15m", "1h", "6h", "24h", "7d", "30d"]

_RAN = frozenset({TaskStatus.SUCCESS.value, TaskStatus.FAILED.value})


class Histogram:
    """Values by logarithmic bucket, as roll-ups keep them."""

    def __init__(self) -> None:
        self._buckets: defaultdict[int, RollupValue] = defaultdict(RollupValue)

    def add(self, bucket: int, value: RollupValue) -> None:
        """Count what one roll-up counted."""
        self._buckets[bucket].add(value)

    def merge(self, other: Histogram) -> None:
        """Count what the other counted too."""
        for bucket, value in other.values():
            self._buckets[bucket].add(value)

    def values(self) -> list[tuple[int, RollupValue]]:
        """What each bucket counts, the least values first."""
        return [(bucket, self._buckets[bucket]) for bucket in sorted(self._buckets)]

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
        return self.percentiles(share)[0]

    def percentiles(self, *shares: float) -> list[float | None]:
        """The `percentile` of each share."""
        values = self.values()
        number = sum(value.n for _, value in values)
        return [_ranked(values, math.ceil(share * number)) for share in shares]


def _ranked(values: Sequence[tuple[int, RollupValue]], rank: int) -> float | None:
    for bucket, value in values:
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
        p50, p95, p99 = histogram.percentiles(0.50, 0.95, 0.99)
        return cls(
            avg=total.total / total.n / 1e6,
            min=total.low / 1e6,
            max=total.high / 1e6,
            p50=p50,
            p95=p95,
            p99=p99,
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
        status = STATUSES.get(key.event)
        if status is None:
            continue
        ran = key.event in _RAN
        for part in (overall, functions[key.func_name]):
            part.counts[status] += value.n
            if ran:
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


_MOMENT = timedelta(microseconds=1)

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


# A step less than is kept, so that the oldest one shown is whole.
_KEPT_BY_MINUTE = KEPT["minute"] - timedelta(hours=1)
_KEPT_BY_HOUR = KEPT["hour"] - timedelta(days=1)
_STEPS: tuple[tuple[timedelta, Resolution], ...] = (
    (timedelta(minutes=1), "minute"),
    (timedelta(minutes=2), "minute"),
    (timedelta(hours=1), "hour"),
    (timedelta(hours=4), "hour"),
)
_MOST_STEPS = 180


def between(since: datetime, until: datetime, now: datetime) -> Window:
    """The window in whole steps around any two times, as finely as counters are kept for them."""
    until = min(max(since, until), now)
    since = max(min(since, until), now - _KEPT_BY_HOUR)
    recent = since >= now - _KEPT_BY_MINUTE
    for step, resolution in _STEPS:
        first, last = floor(since, step), floor(max(since, until - _MOMENT), step) + step
        fits = last - first <= _MOST_STEPS * step
        if fits and (recent or resolution == "hour"):
            break
    return Window(first, last, step, resolution)


def before(shown: Window) -> Window | None:
    """The window just as long that ends where this one begins; None where nothing is kept."""
    length = shown.until - shown.since
    kept = _KEPT_BY_MINUTE if shown.resolution == "minute" else _KEPT_BY_HOUR
    if 2 * length > kept:
        return None
    return Window(shown.since - length, shown.since, shown.step, shown.resolution)


def coarser(shown: Window, most: int) -> Window:
    """A window as long, which ends with the same step, in at most so many larger steps."""
    number = (shown.until - shown.since) // shown.step
    step = shown.step * -(-number // most)
    until = floor(shown.until - _MOMENT, step) + step
    since = until - step * -(-(shown.until - shown.since) // step)
    return Window(since, until, step, shown.resolution)


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
    """A chart's data: a bucket for every step of the window, empty ones included.

    ``whole`` is one bucket of them all: its percentiles are those of the whole window.
    """

    window: Window
    buckets: tuple[SeriesBucket, ...]
    whole: SeriesBucket


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

    def merge(self, other: _Step) -> None:
        for event, n in other.counts.items():
            self.counts[event] += n
        self.ran.merge(other.ran)
        self.waited.merge(other.waited)

    def bucket(self, start: datetime) -> SeriesBucket:
        p50, p95, p99 = self.ran.percentiles(0.50, 0.95, 0.99)
        return SeriesBucket(
            start=start,
            started=self.counts[RollupEvent.STARTED],
            succeeded=self.counts[TaskStatus.SUCCESS],
            failed=self.counts[TaskStatus.FAILED],
            retried=self.counts[RollupEvent.RETRIED],
            p50=p50,
            p95=p95,
            p99=p99,
            wait_p95=self.waited.percentile(0.95),
        )


Subject = Literal["func_name", "queue"]
"""What figures can be told apart by."""


@dataclass(slots=True)
class Drawing:
    """A chart in the making, to which whole steps are added."""

    buckets: dict[datetime, SeriesBucket] = field(default_factory=dict)
    whole: _Step = field(default_factory=_Step)

    def add(self, rollups: Mapping[RollupKey, RollupValue]) -> None:
        """Draw steps that are not there yet, from all that was counted in them."""
        steps: defaultdict[datetime, _Step] = defaultdict(_Step)
        for key, value in rollups.items():
            steps[key.start].add(key, value)
        for start, each in steps.items():
            self.buckets[start] = each.bucket(start)
            self.whole.merge(each)

    def extended(self, other: Drawing) -> Drawing:
        """A further drawing, of the steps of both."""
        both = Drawing(self.buckets | other.buckets)
        both.whole.merge(self.whole)
        both.whole.merge(other.whole)
        return both

    def series(self, shown: Window) -> Series:
        """The chart of a window, empty steps included."""
        number = (shown.until - shown.since) // shown.step
        starts = (shown.since + shown.step * index for index in range(number))
        buckets = tuple(self.buckets.get(start) or _Step().bucket(start) for start in starts)
        return Series(shown, buckets, self.whole.bucket(shown.since))
