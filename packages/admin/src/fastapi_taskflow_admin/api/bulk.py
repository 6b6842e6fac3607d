"""The same change to many tasks, each of them answered for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError

from fastapi_taskflow_core.backends.base import Query
from fastapi_taskflow_core.errors import (
    BackendUnavailable,
    FunctionUnknown,
    PayloadError,
    QueueFullError,
    TaskNotFound,
    TaskStateError,
)
from fastapi_taskflow_core.history import History
from fastapi_taskflow_core.records import TaskRecord

from .schemas import BulkItem, BulkRequest, BulkResult

SKIPS = (TaskNotFound, TaskStateError, FunctionUnknown, PayloadError, QueueFullError)

Change = Callable[[str], Awaitable[BulkItem]]


async def chosen(request: BulkRequest, history: History) -> list[str]:
    """The ids of the tasks that a bulk request means.

    No dependency of a route: FastAPI resolves those even where an earlier one was refused.
    """
    if request.task_ids is not None and request.filter is None and request.expected is None:
        return list(dict.fromkeys(request.task_ids))
    if request.filter is None or request.task_ids is not None or request.expected is None:
        raise _invalid("give either task_ids, or filter together with expected")
    tasks = await matching(history, request.filter.query(history.now()), request.expected + 1)
    if len(tasks) != request.expected:
        found = f"more than {request.expected}" if len(tasks) > request.expected else len(tasks)
        raise HTTPException(409, f"expected {request.expected} tasks, the filter matches {found}")
    return [task.task_id for task in tasks]


def _invalid(message: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": ("body",), "msg": message}])


async def matching(history: History, query: Query, most: int) -> list[TaskRecord]:
    """Up to *most* tasks that a query finds, newest first, over all its pages."""
    found: list[TaskRecord] = []
    while True:
        page = await history.query(query)
        found += page.tasks
        if page.next is None or len(found) >= most:
            return found[:most]
        query = replace(query, cursor=page.next)


async def changed(task_ids: Iterable[str], change: Change) -> BulkResult:
    """Apply *change* to each task; one that cannot be changed is skipped and says why.

    When the storage goes away half-way, the rest is skipped: the caller has to learn what
    was done until then.

    Raises:
        BackendUnavailable: The storage does not answer, and nothing was done yet.
    """
    results: list[BulkItem] = []
    gone: BackendUnavailable | None = None
    for task_id in task_ids:
        try:
            results.append(_skipped(task_id, gone) if gone else await change(task_id))
        except SKIPS as error:
            results.append(_skipped(task_id, error))
        except BackendUnavailable as error:
            if not results:
                raise
            gone = error
            results.append(_skipped(task_id, error))
    return BulkResult.of(results)


def _skipped(task_id: str, reason: object) -> BulkItem:
    return BulkItem(task_id=task_id, dispatched=False, reason=str(reason))


async def retried_since(history: History, task_id: str, since: datetime) -> str | None:
    """The id of a task that runs this one again, None when there is none."""
    page = await history.query(Query(retry_of=task_id, since=since, limit=1))
    return page.tasks[0].task_id if page.tasks else None
