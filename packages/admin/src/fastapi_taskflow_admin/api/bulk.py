"""The same change to many tasks, each of them answered for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi_taskflow_core.backends.base import Query
from fastapi_taskflow_core.errors import FunctionUnknown, TaskNotFound, TaskStateError
from fastapi_taskflow_core.history import History
from fastapi_taskflow_core.records import TaskRecord

from ..site import CurrentSite
from .schemas import BulkItem, BulkRequest, BulkResult

Change = Callable[[str], Awaitable[BulkItem]]


async def chosen(request: BulkRequest, site: CurrentSite) -> list[str]:
    """The ids of the tasks that a bulk request means."""
    if request.task_ids is not None and request.filter is None and request.expected is None:
        return list(dict.fromkeys(request.task_ids))
    if request.filter is None or request.task_ids is not None or request.expected is None:
        raise _invalid("give either task_ids, or filter together with expected")
    history = site.manager.history
    tasks = await matching(history, request.filter.query(history.now()), request.expected + 1)
    if len(tasks) != request.expected:
        found = f"more than {request.expected}" if len(tasks) > request.expected else len(tasks)
        raise HTTPException(409, f"expected {request.expected} tasks, the filter matches {found}")
    return [task.task_id for task in tasks]


Chosen = Annotated[list[str], Depends(chosen)]


def _invalid(message: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": ("body",), "msg": message}])


async def matching(history: History, query: Query, most: int) -> list[TaskRecord]:
    """Up to *most* tasks that a query finds, newest first, over all its pages."""
    found: list[TaskRecord] = []
    async for task in _walk(history, query):
        if len(found) == most:
            break
        found.append(task)
    return found


async def _walk(history: History, query: Query) -> AsyncIterator[TaskRecord]:
    while True:
        page = await history.query(query)
        for task in page.tasks:
            yield task
        if page.next is None:
            return
        query = replace(query, cursor=page.next)


async def changed(task_ids: Iterable[str], change: Change) -> BulkResult:
    """Apply *change* to each task; one that cannot be changed is skipped and says why."""
    results: list[BulkItem] = []
    for task_id in task_ids:
        try:
            results.append(await change(task_id))
        except (TaskNotFound, TaskStateError, FunctionUnknown) as error:
            results.append(BulkItem(task_id=task_id, dispatched=False, reason=str(error)))
    return BulkResult.of(results)


async def retried_since(history: History, task_id: str, since: datetime) -> str | None:
    """The id of a task that runs this one again, None when there is none."""
    page = await history.query(Query(retry_of=task_id, since=since, limit=1))
    return page.tasks[0].task_id if page.tasks else None
