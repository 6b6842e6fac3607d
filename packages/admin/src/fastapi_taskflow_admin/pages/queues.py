"""Queues as a page: is the system sized right?"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from fastapi_taskflow_core.engine.queues import QueueStats

from ..site import CurrentSite
from . import formats
from .links import links
from .routes import PageRoute, unless_known
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue as it is listed."""

    stats: QueueStats
    running: str
    waiting: str
    full: bool


def queue_row(stats: QueueStats) -> QueueRow:
    """How a queue is listed."""
    running, waiting = formats.count(stats.running), formats.count(stats.waiting)
    if stats.concurrency is not None:
        running += f" of {formats.count(stats.concurrency)}"
    if stats.max_size is not None:
        waiting += f" of {formats.count(stats.max_size)}"
    return QueueRow(
        stats,
        running,
        waiting,
        full=stats.max_size is not None and stats.waiting >= stats.max_size,
    )


@router.get("/dashboard/queues")
async def queues_page(request: Request, site: CurrentSite) -> Response:
    """The queues of the process that answers."""
    rows = [queue_row(stats) for stats in site.manager.queue_stats().values()]
    page = render("queues.html", base=links(request), title=site.title, rows=rows)
    return unless_known(request, page)
