"""Queues as a page: is the system sized right?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from fastapi_taskflow_core.engine.queues import QueueStats
from fastapi_taskflow_core.metrics import Series, SeriesRange, window

from ..site import CurrentSite
from . import formats
from .charts import sparkline_of
from .links import links
from .routes import PageRoute, unless_known
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SPAN: SeriesRange = "15m"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue as it is listed."""

    stats: QueueStats
    running: str
    waiting: str
    full: bool
    next_since: datetime | None
    rate: str
    wait: str
    line: str


def queue_row(stats: QueueStats, lately: Series | None = None) -> QueueRow:
    """How a queue is listed, with what happened in it lately."""
    return QueueRow(
        stats,
        _of(stats.running, stats.concurrency),
        _of(stats.waiting, stats.max_size),
        full=stats.max_size is not None and stats.waiting >= stats.max_size,
        next_since=stats.next_since,
        rate=_rate(lately),
        wait=formats.duration(None if lately is None else lately.whole.wait_p95),
        line="" if lately is None else sparkline_of(lately, lambda each: each.started),
    )


def _of(number: int, most: int | None) -> str:
    counted = formats.count(number)
    return counted if most is None else f"{counted} of {formats.count(most)}"


def _rate(lately: Series | None) -> str:
    if lately is None or not lately.whole.started:
        return formats.MISSING
    shown = lately.window
    a_minute = lately.whole.started * 60 / (shown.until - shown.since).total_seconds()
    return f"{a_minute:.1f} a minute" if a_minute < 10 else f"{a_minute:,.0f} a minute"


@router.get("/dashboard/queues")
async def queues_page(request: Request, site: CurrentSite) -> Response:
    """The queues of the process that answers."""
    history = site.manager.history
    lately = await history.charts("queue", window(_SPAN, history.now()))
    rows = [
        queue_row(stats, lately.get(name)) for name, stats in site.manager.queue_stats().items()
    ]
    page = render("queues.html", base=links(request), title=site.title, rows=rows)
    return unless_known(request, page)
