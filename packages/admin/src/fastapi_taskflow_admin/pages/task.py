"""One task as a page: what happened to it?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter, Request, Response

from fastapi_taskflow_core.backends.base import Query
from fastapi_taskflow_core.history import LOGS_SHOWN
from fastapi_taskflow_core.records import RETRYABLE, LogEntry, TaskRecord

from ..api.tasks import TaskId
from ..site import CurrentSite
from .context import row
from .links import PART, links
from .marks import MARKED
from .progress import time_left
from .routes import PageRoute, unless_known
from .templating import render
from .tracebacks import parts
from .waterfall import waterfall

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_RELATED = 10
_SAID, _TOLD = 500, 4_096
"""Characters of an error, and of an argument or a line of the log, that are shown at once."""


def tries(task: TaskRecord, retries: int | None) -> str:
    """How many attempts there were, and of how many while there may be more."""
    made = len(task.attempts)
    if retries is None or (task.status not in RETRYABLE and task.status.finished):
        return str(made)
    return f"{made} of {max(made, retries + 1)}"


@router.get("/dashboard/tasks/{task_id}")
async def task_page(request: Request, task_id: TaskId, site: CurrentSite) -> Response:
    """One task. A refresh, which says so by a header, is spared the log: scripts follow that."""
    history = site.manager.history
    refreshed = PART in request.headers
    task = await history.get(task_id, logs=not refreshed)
    again = await history.query(Query(retry_of=task.task_id, limit=_RELATED))
    page = render(
        "task.html",
        base=links(request),
        title=site.title,
        **_shown(task, again.tasks, history.now()),
        waterfall=waterfall(task, history.now(), await _said(site, task)),
        marked=MARKED,
        tries=tries(task, _retries(site, task)),
        arguments=site.arguments(task),
        said=_SAID,
        told=_TOLD,
        refreshed=refreshed,
    )
    return unless_known(request, page)


def _shown(task: TaskRecord, again: Sequence[TaskRecord], now: datetime) -> dict[str, object]:
    return {
        "row": row(task, now),
        "left": time_left(task, now),
        "raised": parts(task.stacktrace or ""),
        "again": [row(each, now) for each in again],
    }


async def _said(site: CurrentSite, task: TaskRecord) -> Sequence[LogEntry]:
    """The latest lines of its log; where the page has all of them they are not read again."""
    if not task.attempts:
        return ()
    if 0 < len(task.logs) < LOGS_SHOWN:
        return task.logs[-MARKED:]
    return await site.manager.history.logs(task.task_id, limit=MARKED, latest=True)


def _retries(site: CurrentSite, task: TaskRecord) -> int | None:
    options = site.manager.options_of(task.func_name)
    return None if options is None else options.retry.retries
