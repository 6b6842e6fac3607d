"""Functions: how often each ran, how it went, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from fastapi import APIRouter, Request, Response

from fastapi_taskflow_core.backends.base import Query
from fastapi_taskflow_core.metrics import Series, Window, before, coarser
from fastapi_taskflow_core.options import TaskOptions
from fastapi_taskflow_core.records import TaskStatus

from ..site import CurrentSite, Site
from . import formats, tiles
from .charts import panel, sparkline_of
from .context import Address, row
from .elsewhere import redirect
from .failures import groups
from .links import links
from .ranges import Chosen, ChosenRange
from .routes import PageRoute, unless_shared
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_FAILURES, _LATEST = 200, 10
_STEPS = 30


@dataclass(frozen=True, slots=True)
class FunctionRow:
    """A function as it is listed, by what it did in a time."""

    name: str
    options: str
    ended: str
    failed: str
    success: str
    p50: str
    p95: str
    p99: str
    line: str
    last_failed: datetime | None
    """When the last step began in which it failed."""


def function_row(name: str, options: TaskOptions | None, done: Series | None) -> FunctionRow:
    """How a function is listed; *done* is None where it did nothing in that time."""
    words = ", ".join(told(options))
    if done is None:
        missing = formats.MISSING
        return FunctionRow(name, words, "0", "0", missing, missing, missing, missing, "", None)
    whole = done.whole
    ended = whole.succeeded + whole.failed
    return FunctionRow(
        name,
        words,
        formats.count(ended),
        formats.count(whole.failed),
        formats.share(whole.succeeded / ended) if ended else formats.MISSING,
        formats.duration(whole.p50),
        formats.duration(whole.p95),
        formats.duration(whole.p99),
        sparkline_of(done, lambda each: each.succeeded + each.failed),
        next((each.start for each in reversed(done.buckets) if each.failed), None),
    )


def told(options: TaskOptions | None) -> list[str]:
    """What a function's author said of how it runs, in words."""
    if options is None:
        return ["not known to this process"]
    timeout = formats.duration(options.timeout)
    words = {
        _retries(options): options.retry.retries > 0,
        f"queue {options.queue}": options.queue is not None,
        f"at most {timeout}": options.timeout is not None,
        "survives restarts": options.persist,
        "runs again if cut off": options.requeue_on_interrupt,
        f"priority {options.priority}": options.priority is not None,
        f"executor {options.executor}": options.executor is not None,
        "begins before the response": options.eager,
        "keeps its result": options.keep_result,
    }
    return [word for word, said in words.items() if said]


def _retries(options: TaskOptions) -> str:
    """How many, and the waits before the first of them."""
    retry = options.retry
    number = f"{retry.retries} {'retry' if retry.retries == 1 else 'retries'}"
    waits = [retry.wait(each, 0.5) for each in range(min(retry.retries, 3))]
    if not any(waits):
        return number
    more = " …" if retry.retries > len(waits) else ""
    return f"{number} after {', '.join(map(formats.duration, waits))}{more}"


@router.get("/dashboard/functions")
async def functions_page(request: Request, site: CurrentSite, chosen: ChosenRange) -> Response:
    """The functions that ever ran, and what they did in a time."""
    return await unless_shared(request, site, partial(_page, request, site, chosen))


async def _page(request: Request, site: Site, chosen: Chosen) -> str:
    history, manager = site.manager.history, site.manager
    shown = coarser(chosen.window(history.now()), _STEPS)  # there may be many functions
    done = await history.charts("func_name", shown)
    names = sorted({*(await history.counts()), *done})
    return render(
        "functions.html",
        base=links(request),
        title=site.title,
        rows=[function_row(name, manager.options_of(name), done.get(name)) for name in names],
        ranges=chosen.links(Address(request.query_params.multi_items())),
        since=chosen.span,
    )


@router.get("/dashboard/functions/{name:path}")
async def function_page(
    request: Request, site: CurrentSite, name: str, chosen: ChosenRange
) -> Response:
    """One function: its figures, its charts, what of it failed, and its latest tasks."""
    if not name.strip():
        return redirect(request, site)
    return await unless_shared(request, site, partial(_page_of, request, site, name, chosen))


async def _page_of(request: Request, site: Site, name: str, chosen: Chosen) -> str:
    history = site.manager.history
    shown = chosen.window(history.now())
    series = await history.chart(shown, name)
    previous = before(shown)
    earlier = None if previous is None else await history.total(previous, name)
    counts = (await history.counts()).get(name, {})
    waiting, running = (
        counts.get(status, 0) for status in (TaskStatus.PENDING, TaskStatus.RUNNING)
    )
    latest = await history.query(Query(func_name=name, limit=_LATEST))
    return render(
        "function.html",
        base=links(request),
        title=site.title,
        name=name,
        options=told(site.manager.options_of(name)),
        ever=bool(counts) or bool(latest.tasks),
        ranges=chosen.links(Address(request.query_params.multi_items())),
        zoomed=chosen.zoomed,
        words=chosen.words(shown),
        tiles=[
            *tiles.present(series, earlier, waiting, running),
            *tiles.past(series, earlier, chosen.query(shown)),
        ],
        panel=panel(series),
        groups=await _failures(site, name, shown),
        latest=[row(task, history.now()) for task in latest.tasks],
    )


async def _failures(site: Site, name: str, shown: Window) -> Sequence[object]:
    failed = await site.manager.history.query(
        Query(
            statuses=frozenset({TaskStatus.FAILED}),
            func_name=name,
            since=shown.since,
            until=shown.until,
            limit=_FAILURES,
        )
    )
    return groups(failed.tasks)
