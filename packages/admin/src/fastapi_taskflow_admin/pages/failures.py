"""Failures, those of one cause together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter

from fastapi_taskflow_core.backends.base import Query
from fastapi_taskflow_core.history import History
from fastapi_taskflow_core.records import TaskRecord, TaskStatus

from ..api.moments import Moment, resolve
from ..site import CurrentSite, Site
from . import formats
from .charts import sparkline
from .context import Address
from .links import links
from .routes import PageRoute, unless_shared
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST = 1_000
"""Failed tasks that are looked at, the newest."""
_AT_ONCE = 250
_PIECES = 24
_MOMENT = timedelta(microseconds=1)
_NO_REASON = "no reason was kept"
_CHANGING = re.compile(
    r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|\d+|'[^']*'|\"[^\"]*\"", re.IGNORECASE
)
_WINDOWS = {"1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days", "": "any time"}


@dataclass(frozen=True, slots=True)
class Group:
    """Tasks of one function that failed with one kind of error, numbers and names aside."""

    func_name: str
    error: str
    count: int
    first: datetime
    last: datetime
    sample: str
    """The id of the latest."""
    query: str
    """What finds them among the failed ones, as a URL says it."""
    line: str
    """How many there were over the time in which any failed."""

    @property
    def href(self) -> str:
        """The query of the list that shows them."""
        return f"status=failed&{self.query}"


def groups(tasks: Iterable[TaskRecord], since: str = "") -> list[Group]:
    """What failed alike, the most frequent first, then the latest."""
    found: defaultdict[tuple[str, str], list[TaskRecord]] = defaultdict(list)
    for task in tasks:
        line = formats.first_line(task.error or _NO_REASON)
        found[task.func_name, _CHANGING.sub("…", line)].append(task)
    moments = [task.created_at for alike in found.values() for task in alike]
    span = (min(moments), max(moments)) if moments else None
    made = [_group(alike, since, _line(alike, span)) for alike in found.values() if span]
    return sorted(made, key=lambda group: (-group.count, -group.last.timestamp()))


def _line(alike: Sequence[TaskRecord], span: tuple[datetime, datetime]) -> str:
    first, last = span
    counted = [0] * _PIECES
    for task in alike:
        share = (task.created_at - first) / ((last - first) or _MOMENT)
        counted[min(_PIECES - 1, int(share * _PIECES))] += 1
    return sparkline(counted)


def _group(alike: Sequence[TaskRecord], since: str, line: str) -> Group:
    latest = max(alike, key=lambda task: task.created_at)
    error = formats.first_line(latest.error or _NO_REASON)
    wanted = {"func_name": latest.func_name}
    if latest.error:
        wanted["q"] = error.partition(":")[0]
    if since:
        wanted["since"] = since
    return Group(
        latest.func_name,
        error,
        len(alike),
        min(task.created_at for task in alike),
        latest.created_at,
        latest.task_id,
        urlencode(wanted),
        line,
    )


@router.get("/dashboard/failures")
async def failures_page(
    request: Request, site: CurrentSite, since: Annotated[Moment, Parameter()] = None
) -> Response:
    """What failed, by function and error."""
    return await unless_shared(request, site, partial(_page, request, site, since))


async def _page(request: Request, site: Site, since: Moment) -> str:
    history = site.manager.history
    tasks = await _failed(history, resolve(since, history.now()))
    address = Address(request.query_params.multi_items())
    chosen = address.value("since")
    return render(
        "failures.html",
        base=links(request),
        title=site.title,
        groups=groups(tasks, chosen),
        since=chosen,
        chosen=_WINDOWS.get(chosen, "chosen time"),
        last=None if tasks or not chosen else await _last(history),
        looked_at=formats.count(len(tasks)),
        bounded=len(tasks) >= MOST,
        windows=[
            (words, address.href(since=name or None), name == chosen)
            for name, words in _WINDOWS.items()
        ],
    )


async def _last(history: History) -> TaskRecord | None:
    """The latest of all that failed."""
    page = await history.query(Query(statuses=frozenset({TaskStatus.FAILED}), limit=1))
    return page.tasks[0] if page.tasks else None


async def _failed(history: History, since: datetime | None) -> list[TaskRecord]:
    found: list[TaskRecord] = []
    query = Query(statuses=frozenset({TaskStatus.FAILED}), since=since, limit=_AT_ONCE)
    while len(found) < MOST:
        page = await history.query(query)
        found += page.tasks
        if page.next is None:
            break
        query = Query(statuses=query.statuses, since=since, limit=_AT_ONCE, cursor=page.next)
    return found[:MOST]
