"""Queues as a page: is the system sized right?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter

from fastapi_taskflow_core.engine.queues import QueueStats
from fastapi_taskflow_core.metrics import Series, SeriesRange, window

from ..site import CurrentSite, Site
from . import formats
from .charts import sparkline_of
from .context import Address
from .links import links
from .routes import PageRoute, unless_shared
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SPAN: SeriesRange = "15m"
_FEW = 2
"""With fewer, somebody may not know that there can be more."""

MOST = 50
"""Queues on a page, which is read again with every refresh."""


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


@dataclass(frozen=True, slots=True)
class Part:
    """The queues on one page of them; ``first`` and ``last`` are counted from 1."""

    shown: Sequence[QueueStats]
    first: int
    number: int
    """How many there are that match, on all pages."""
    before: int | None
    after: int | None
    """The numbers of the pages beside it, where there are any."""

    @property
    def last(self) -> int:
        """The number of the last one shown."""
        return self.first + len(self.shown) - 1


def part(queues: Iterable[QueueStats], word: str, number: int) -> Part:
    """A page of the queues whose name has *word* in it; the last one instead of one beyond."""
    found = [each for each in queues if word.lower() in each.name.lower()]
    pages = max(1, -(-len(found) // MOST))
    number = min(number, pages)
    start = (number - 1) * MOST
    return Part(
        found[start : start + MOST],
        start + 1,
        len(found),
        before=number - 1 if number > 1 else None,
        after=number + 1 if number < pages else None,
    )


@router.get("/dashboard/queues")
async def queues_page(
    request: Request,
    site: CurrentSite,
    q: Annotated[str, Parameter(max_length=200)] = "",
    page: Annotated[int, Parameter(ge=1, le=10_000)] = 1,
) -> Response:
    """The queues of the process that answers."""
    return await unless_shared(request, site, partial(_page, request, site, q.strip(), page))


async def _page(request: Request, site: Site, word: str, number: int) -> str:
    history, queues = site.manager.history, site.manager.queue_stats()
    lately = await history.charts("queue", window(_SPAN, history.now()))
    shown = part(queues.values(), word, number)
    address = Address(request.query_params.multi_items())
    return render(
        "queues.html",
        base=links(request),
        title=site.title,
        part=shown,
        rows=[queue_row(stats, lately.get(stats.name)) for stats in shown.shown],
        word=word,
        many=len(queues) > MOST,
        few=len(queues) < _FEW,
        before=shown.before and address.href(page=str(shown.before)),
        after=shown.after and address.href(page=str(shown.after)),
    )
