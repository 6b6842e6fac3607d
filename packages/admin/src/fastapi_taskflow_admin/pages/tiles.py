"""The figures at the head of a page, with what they were before. Worked out without I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi_taskflow_core.metrics import Series, SeriesBucket

from . import formats
from .charts import sparkline_of

N = TypeVar("N", int, float)
_MANY = 10
"""Growth that is told in times, not in percent."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with the line of how it came about, and its change against the range before."""

    name: str
    value: str
    note: str
    line: str = ""
    change: str = ""
    kind: str = ""
    query: str = ""
    """The tasks that are meant, as the list's address says it."""


def present(series: Series, earlier: SeriesBucket | None, waiting: int, running: int) -> list[Tile]:
    """What waits and runs at this moment; their lines are of the range."""
    whole = series.whole
    return [
        Tile(
            "Waiting",
            formats.count(waiting),
            _noted(
                f"p95 of waits {formats.duration(whole.wait_p95)}",
                _times(whole.wait_p95, _was(earlier, lambda each: each.wait_p95)),
            ),
            sparkline_of(series, lambda each: each.wait_p95),
            query="status=pending",
        ),
        Tile(
            "Running",
            formats.count(running),
            _noted(
                f"{formats.count(whole.started)} started",
                _percents(whole.started, _was(earlier, lambda each: each.started)),
            ),
            sparkline_of(series, lambda each: each.started),
            kind="running" if running else "",
            query="status=running",
        ),
    ]


def past(series: Series, earlier: SeriesBucket | None, within: str = "") -> list[Tile]:
    """What became of the tasks of a range; *within* is the range as the list's address says it."""
    whole = series.whole
    return [
        Tile(
            "Failed",
            formats.count(whole.failed),
            _many(whole.retried, "retry", "retries"),
            sparkline_of(series, lambda each: each.failed),
            _difference(whole.failed, _was(earlier, lambda each: each.failed)),
            "failed" if whole.failed else "",
            "&".join(filter(None, ("status=failed", within))),
        ),
        Tile(
            "Succeeded",
            _rate_words(whole),
            f"of {formats.count(_ended(whole))} ended",
            sparkline_of(series, lambda each: each.succeeded),
            _points(_rate(whole), _was(earlier, _rate)),
        ),
        Tile(
            "Run time, p95",
            formats.duration(whole.p95),
            f"median {formats.duration(whole.p50)}",
            sparkline_of(series, lambda each: each.p95),
            _times(whole.p95, _was(earlier, lambda each: each.p95)),
        ),
    ]


def _was(earlier: SeriesBucket | None, pick: Callable[[SeriesBucket], N | None]) -> N | None:
    return None if earlier is None else pick(earlier)


def _ended(bucket: SeriesBucket) -> int:
    return bucket.succeeded + bucket.failed


def _rate(bucket: SeriesBucket) -> float | None:
    return bucket.succeeded / _ended(bucket) if _ended(bucket) else None


def _rate_words(bucket: SeriesBucket) -> str:
    rate = _rate(bucket)
    return formats.MISSING if rate is None else formats.share(rate)


def _many(number: int, one: str, more: str) -> str:
    return f"{formats.count(number)} {one if number == 1 else more}"


def _noted(note: str, change: str) -> str:
    return f"{note} {change}".rstrip()


def _arrow(difference: float) -> str:
    return "▲" if difference > 0 else "▼"


def _difference(now: int, earlier: int | None) -> str:
    if earlier is None or now == earlier:
        return ""
    return f"{_arrow(now - earlier)} {formats.count(abs(now - earlier))}"


def _percents(now: float, earlier: float | None) -> str:
    if not earlier or now == earlier:
        return ""
    if now >= _MANY * earlier:
        return f"▲ {formats.count(round(now / earlier))} ×"
    percent = round(100 * (now - earlier) / earlier)
    return f"{_arrow(percent)} {abs(percent)} %" if percent else ""


def _points(now: float | None, earlier: float | None) -> str:
    points = 0.0 if now is None or earlier is None else round(100 * (now - earlier), 1)
    return f"{_arrow(points)} {abs(points):g} points" if points else ""


def _times(now: float | None, earlier: float | None) -> str:
    return "" if now is None else _percents(now, earlier)
