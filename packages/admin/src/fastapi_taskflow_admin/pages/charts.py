"""Charts as shapes: the geometry of bars and lines, worked out without I/O and drawn as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi_taskflow_core.metrics import Series, SeriesBucket

from . import formats
from .scales import Scale, Tick, linear, logarithmic, times

WIDTH, HEIGHT = 720.0, 150.0
_GAP = 0.25
"""The share of a step that is left between two bars."""
_LEAST = 1.5
"""The height of a bar that stands for something, however little."""
_LEAST_BROAD = 6.0
"""The length of what stands for a step of a line that is alone."""
_LEAST_SHARE = 0.05
"""What the axis of a share shows at least: one failure of a million is no mountain."""


@dataclass(frozen=True, slots=True)
class Shape:
    """All bars or the line of one kind."""

    kind: str
    path: str
    filled: bool


@dataclass(frozen=True, slots=True)
class Key:
    """A kind in the legend, with its figure over the whole range.

    ``column`` is where the table of the figures has it, counted from 1.
    """

    kind: str
    word: str
    value: str
    column: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart."""

    name: str
    title: str
    note: str
    keys: Sequence[Key]
    shapes: Sequence[Shape]
    ticks: Sequence[Tick]
    empty: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """Charts over the same time, and the table of their figures."""

    charts: Sequence[Chart]
    times: Sequence[Tick]
    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    since: str
    until: str
    step: int
    """Seconds."""


NAMES = ("Succeeded", "Failed", "Retried", "Failure rate", "p50", "p95", "p99", "Wait p95")


def panel(series: Series) -> Panel:
    """The three charts of a series."""
    shown = series.window
    return Panel(
        (throughput(series), latency(series), failures(series)),
        times(shown),
        NAMES,
        [(formats.minute(each.start), _cells(each)) for each in series.buckets],
        shown.since.isoformat(),
        shown.until.isoformat(),
        round(shown.step.total_seconds()),
    )


def throughput(series: Series) -> Chart:
    """Tasks that ended in each step, those that failed at the foot."""
    highest = max((_ended(each) for each in series.buckets), default=0)
    scale = linear(highest, lambda number: formats.count(round(number)), whole=True)
    feet = [0.0] * len(series.buckets)
    shapes = []
    for kind, numbers in (
        ("failed", [each.failed for each in series.buckets]),
        ("success", [each.succeeded for each in series.buckets]),
    ):
        shapes.append(Shape(kind, _bars(numbers, feet, scale), filled=True))
        feet = [foot + number for foot, number in zip(feet, numbers, strict=True)]
    whole, cells = series.whole, _cells(series.whole)
    step = formats.duration(series.window.step.total_seconds())
    return Chart(
        "throughput",
        "Throughput",
        f"{formats.count(_ended(whole))} ended, bars of {step}",
        (Key("success", "succeeded", cells[0], 1), Key("failed", "failed", cells[1], 2)),
        shapes,
        scale.ticks,
        empty=not _ended(whole),
    )


def latency(series: Series) -> Chart:
    """How long attempts ran: the median, and what one of 20 and one of 100 exceeded."""
    kinds = ("p50", "p95", "p99")
    lines = {kind: [getattr(each, kind) for each in series.buckets] for kind in kinds}
    told = [value for values in lines.values() for value in values if value]
    scale = logarithmic(min(told, default=0.01), max(told, default=1))
    cells = _cells(series.whole)
    return Chart(
        "run-time",
        "Run time",
        "within 5 %, log scale",
        [Key(kind, kind, cells[4 + n], 5 + n) for n, kind in enumerate(kinds)],
        [Shape(kind, _line(values, scale), filled=False) for kind, values in lines.items()],
        scale.ticks,
        empty=not told,
    )


def failures(series: Series) -> Chart:
    """Which share of the tasks that ended in each step had failed."""
    shares = [_share(each) or 0.0 for each in series.buckets]
    scale = linear(100 * max(_LEAST_SHARE, *shares), lambda percent: f"{percent:g} %")
    bars = _bars([100 * share for share in shares], [0.0] * len(shares), scale)
    cells = _cells(series.whole)
    return Chart(
        "failure-rate",
        "Failure rate",
        "of those that ended",
        (Key("failed", "failed", cells[3], 4),),
        (Shape("failed", bars, filled=True),),
        scale.ticks,
        empty=not _ended(series.whole),
    )


def sparkline(values: Sequence[float | None]) -> str:
    """The path of a small line through all values, in a box of 100 by 20."""
    numbers = [value or 0 for value in values]
    highest = max(numbers, default=0) or 1
    last = max(1, len(numbers) - 1)
    points = [
        f"{_rounded(100 * i / last)} {_rounded(19 - 18 * v / highest)}"
        for i, v in enumerate(numbers)
    ]
    return "M" + " L".join(points) if points else ""


def sparkline_of(series: Series, pick: Callable[[SeriesBucket], float | None]) -> str:
    """The small line of one figure of a series."""
    return sparkline([pick(each) for each in series.buckets])


def _ended(bucket: SeriesBucket) -> int:
    return bucket.succeeded + bucket.failed


def _share(bucket: SeriesBucket) -> float | None:
    return bucket.failed / _ended(bucket) if _ended(bucket) else None


def _cells(bucket: SeriesBucket) -> list[str]:
    share = _share(bucket)
    counts = (bucket.succeeded, bucket.failed, bucket.retried)
    spans = (bucket.p50, bucket.p95, bucket.p99, bucket.wait_p95)
    return [
        *map(formats.count, counts),
        formats.MISSING if share is None else formats.share(share),
        *map(formats.duration, spans),
    ]


def _bars(values: Sequence[float], feet: Sequence[float], scale: Scale) -> str:
    width = WIDTH / max(1, len(values))
    broad = _rounded(width * (1 - _GAP))
    bars = []
    for index, (value, foot) in enumerate(zip(values, feet, strict=True)):
        if value:
            low = HEIGHT * (1 - scale.height(foot))
            high = min(low - _LEAST, HEIGHT * (1 - scale.height(foot + value)))
            left = _rounded((index + _GAP / 2) * width)
            bars.append(f"M{left} {_rounded(low)}h{broad}V{_rounded(max(0.0, high))}h-{broad}z")
    return "".join(bars)


def _line(values: Sequence[float | None], scale: Scale) -> str:
    width = WIDTH / max(1, len(values))
    pieces = []
    for index, value in enumerate(values):
        if value is None:
            continue
        x, y = (index + 0.5) * width, _rounded(HEIGHT * (1 - scale.height(value)))
        before = index > 0 and values[index - 1] is not None
        after = index + 1 < len(values) and values[index + 1] is not None
        if before or after:
            pieces.append(f"{'L' if before else 'M'}{_rounded(x)} {y}")
        else:  # one step alone is as broad as its bar
            broad = max(_LEAST_BROAD, width * (1 - _GAP))
            pieces.append(f"M{_rounded(x - broad / 2)} {y}h{_rounded(broad)}")
    return "".join(pieces)


def _rounded(value: float) -> float:
    return round(value, 2)
