"""The overview: is everything all right?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from fastapi_taskflow_core.backends.base import Query as TaskQuery
from fastapi_taskflow_core.metrics import Series, SeriesRange
from fastapi_taskflow_core.records import TaskStatus

from ..site import CurrentSite
from . import formats
from .charts import Chart, latency, sparkline, throughput
from .context import Address, Row, row, trouble
from .failures import Group, groups
from .links import links
from .routes import PageRoute, unless_known
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

RANGES: dict[SeriesRange, str] = {
    "15m": "15 min",
    "1h": "1 hour",
    "6h": "6 hours",
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
}
_SHOWN = 8
_FAILURES = 200


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with the line of how it came about."""

    name: str
    value: str
    note: str
    line: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the page shows."""

    trouble: str
    ever: bool
    ranges: Sequence[tuple[str, str, bool]]
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    attention: Sequence[Group]
    running: Sequence[Row]


@router.get("/dashboard/overview")
async def overview_page(
    request: Request,
    site: CurrentSite,
    span: Annotated[SeriesRange, Query(alias="range")] = "1h",
) -> Response:
    """Figures, charts, what failed last and what runs."""
    history, now = site.manager.history, site.manager.history.now()
    series = await history.series(span)
    overall = (await history.metrics()).overall
    failed = await history.query(
        TaskQuery(
            statuses=frozenset({TaskStatus.FAILED}), since=series.window.since, limit=_FAILURES
        )
    )
    running = await history.query(TaskQuery(statuses=frozenset({TaskStatus.RUNNING}), limit=_SHOWN))
    address = Address(request.query_params.multi_items())
    counts = overall.counts
    shown = Overview(
        trouble=trouble(site.manager.health()),
        ever=overall.total > 0,
        ranges=[(words, address.href(range=name), name == span) for name, words in RANGES.items()],
        tiles=tiles(series, counts[TaskStatus.PENDING], counts[TaskStatus.RUNNING], RANGES[span]),
        charts=(throughput(series), latency(series)),
        attention=groups(failed.tasks)[:_SHOWN],
        running=[row(task, now) for task in running.tasks],
    )
    page = render("overview.html", base=links(request), title=site.title, shown=shown)
    return unless_known(request, page)


def tiles(series: Series, waiting: int, running: int, words: str) -> list[Tile]:
    """The five figures at the head of the page; counts of the present, the rest of the range."""
    buckets = series.buckets
    succeeded = sum(each.succeeded for each in buckets)
    failed = sum(each.failed for each in buckets)
    retried = sum(each.retried for each in buckets)
    ended = succeeded + failed
    slow = [each.p95 for each in buckets if each.p95 is not None]
    return [
        Tile("Waiting", formats.count(waiting), "now"),
        Tile("Running", formats.count(running), "now", kind="running"),
        Tile(
            "Failed",
            formats.count(failed),
            f"in {words}, {formats.count(retried)} retries",
            sparkline([each.failed for each in buckets]),
            "failed" if failed else "",
        ),
        Tile(
            "Succeeded",
            formats.share(succeeded / ended) if ended else formats.MISSING,
            f"of {formats.count(ended)} in {words}",
            sparkline([each.succeeded for each in buckets]),
        ),
        Tile(
            "Run time, p95",
            formats.duration(slow[-1] if slow else None),
            f"up to {formats.duration(max(slow))}" if slow else f"in {words}",
            sparkline([each.p95 or 0 for each in buckets]),
        ),
    ]
