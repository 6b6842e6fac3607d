"""Failures, those of one cause together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter

from fastapi_taskflow_core.backends.base import Query
from fastapi_taskflow_core.history import History
from fastapi_taskflow_core.records import TaskRecord, TaskStatus

from ..api.moments import Moment, resolve
from ..site import CurrentSite
from . import formats
from .context import Address
from .links import links
from .routes import PageRoute, unless_known
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST = 1_000
"""Failed tasks that are looked at, the newest."""
_AT_ONCE = 250
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
    href: str
    """The query of the list that shows them."""


def groups(tasks: Iterable[TaskRecord]) -> list[Group]:
    """What failed alike, the most frequent first, then the latest."""
    found: defaultdict[tuple[str, str], list[TaskRecord]] = defaultdict(list)
    for task in tasks:
        line = formats.first_line(task.error or _NO_REASON)
        found[task.func_name, _CHANGING.sub("…", line)].append(task)
    made = [_group(alike) for alike in found.values()]
    return sorted(made, key=lambda group: (-group.count, -group.last.timestamp()))


def _group(alike: Sequence[TaskRecord]) -> Group:
    latest = max(alike, key=lambda task: task.created_at)
    error = formats.first_line(latest.error or _NO_REASON)
    wanted = {"status": "failed", "func_name": latest.func_name}
    if latest.error:
        wanted["q"] = error.partition(":")[0]
    return Group(
        latest.func_name,
        error,
        len(alike),
        min(task.created_at for task in alike),
        latest.created_at,
        latest.task_id,
        urlencode(wanted),
    )


@router.get("/dashboard/failures")
async def failures_page(
    request: Request, site: CurrentSite, since: Annotated[Moment, Parameter()] = None
) -> Response:
    """What failed, by function and error."""
    history = site.manager.history
    tasks = await _failed(history, resolve(since, history.now()))
    address = Address(request.query_params.multi_items())
    chosen = address.value("since")
    page = render(
        "failures.html",
        base=links(request),
        title=site.title,
        groups=groups(tasks),
        looked_at=formats.count(len(tasks)),
        bounded=len(tasks) >= MOST,
        windows=[
            (words, address.href(since=name or None), name == chosen)
            for name, words in _WINDOWS.items()
        ],
    )
    return unless_known(request, page)


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
