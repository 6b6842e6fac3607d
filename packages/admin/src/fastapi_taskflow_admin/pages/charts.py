"""Charts as shapes: the geometry of bars and lines, worked out without I/O and drawn as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi_taskflow_core.metrics import Series, SeriesBucket

from . import formats

WIDTH, HEIGHT = 720.0, 150.0
_GAP = 0.25
"""The share of a step that is left between two bars."""
_LEAST = 1.5
"""The height of a bar that stands for something, however little."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of one kind of outcome."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line through the steps that have a value; pieces where some have none."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step for those who point at it, and for the table of the same figures."""

    x: float
    width: float
    words: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart; ``top`` is what its upper edge stands for, ``names`` head its table."""

    name: str
    note: str
    top: str
    names: Sequence[str]
    kinds: Sequence[str]
    bars: Sequence[Bar]
    lines: Sequence[Line]
    steps: Sequence[Step]
    empty: bool


def throughput(series: Series) -> Chart:
    """Tasks that ended in each step, those that failed at the foot."""
    buckets = series.buckets
    highest = max((each.succeeded + each.failed for each in buckets), default=0)
    width = WIDTH / max(1, len(buckets))
    bars: list[Bar] = []
    for index, each in enumerate(buckets):
        foot = HEIGHT
        for kind, number in (("failed", each.failed), ("success", each.succeeded)):
            if number:
                height = max(_LEAST, HEIGHT * number / highest)
                foot = max(0.0, foot - height)
                left = (index + _GAP / 2) * width
                bars.append(
                    Bar(
                        kind,
                        _rounded(left),
                        _rounded(foot),
                        _rounded(width * (1 - _GAP)),
                        _rounded(height),
                    )
                )
    ended = sum(each.succeeded + each.failed for each in buckets)
    return Chart(
        "Throughput",
        f"{formats.count(ended)} ended",
        f"{formats.count(highest)} in {formats.duration(series.window.step.total_seconds())}",
        ("Succeeded", "Failed", "Retried"),
        ("success", "failed"),
        bars,
        (),
        _steps(
            series,
            lambda each: [formats.count(n) for n in (each.succeeded, each.failed, each.retried)],
        ),
        empty=not ended,
    )


def latency(series: Series) -> Chart:
    """How long attempts ran: the median, and what one of 20 and one of 100 exceeded."""
    tails = [each.p99 for each in series.buckets if each.p99 is not None]
    highest = max(tails, default=0.0)
    lines = [
        Line(kind, _path([getattr(each, kind) for each in series.buckets], highest))
        for kind in ("p50", "p95", "p99")
    ]
    return Chart(
        "Run time",
        "percentiles within 5 %",
        formats.duration(highest) if tails else "",
        ("p50", "p95", "p99", "wait p95"),
        ("p50", "p95", "p99"),
        (),
        lines,
        _steps(
            series,
            lambda each: [
                formats.duration(s) for s in (each.p50, each.p95, each.p99, each.wait_p95)
            ],
        ),
        empty=not tails,
    )


def sparkline(values: Sequence[float]) -> str:
    """The path of a small line through all values, in a box of 100 by 20."""
    highest = max(values, default=0) or 1
    last = max(1, len(values) - 1)
    points = [
        f"{_rounded(100 * i / last)} {_rounded(19 - 18 * v / highest)}"
        for i, v in enumerate(values)
    ]
    return "M" + " L".join(points) if points else ""


def _steps(series: Series, cells: Callable[[SeriesBucket], list[str]]) -> list[Step]:
    width = WIDTH / max(1, len(series.buckets))
    found = []
    for index, each in enumerate(series.buckets):
        values = cells(each)
        start = formats.clock(each.start)
        found.append(Step(_rounded(index * width), _rounded(width), start, values))
    return found


def _path(values: Sequence[float | None], highest: float) -> str:
    width = WIDTH / max(1, len(values))
    pieces, drawing = [], False
    for index, value in enumerate(values):
        if value is None:
            drawing = False
            continue
        x = _rounded((index + 0.5) * width)
        y = _rounded(HEIGHT - (HEIGHT - 4) * value / (highest or 1))
        pieces.append(f"{'L' if drawing else 'M'}{x} {y}")
        if not drawing:
            pieces.append("h0.01")  # one step alone is a dot
        drawing = True
    return "".join(pieces)


def _rounded(value: float) -> float:
    return round(value, 2)
