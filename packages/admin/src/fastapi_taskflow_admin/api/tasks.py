"""Tasks: list, look at, run again, cancel, forget."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from fastapi_taskflow_core.backends.base import Page
from fastapi_taskflow_core.records import TaskRecord

from ..routing import AdminRoute
from ..site import CurrentSite
from .bulk import changed, chosen, matching, retried_since
from .export import as_csv, as_json, pages
from .linking import link
from .query import ExportParameters, FailedFilter, ListParameters, TaskFilter, Text, encode
from .schemas import (
    MOST_EXPECTED,
    UNREADABLE,
    BulkItem,
    BulkRequest,
    BulkResult,
    Deleted,
    LogLine,
    Retried,
    TaskCount,
    TaskDetail,
    TaskSummary,
    problem,
)

router = APIRouter(route_class=AdminRoute)

TaskId = Annotated[Text, Path(description="The task's id.")]

_UNITS = {
    "min": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
_NOT_FOUND = problem(404, "No task has this id.")
_WRONG_STATUS = problem(400, "The task's status does not allow it.")
_UNKNOWN_FUNCTION = problem(409, "The function is not known here, or the arguments cannot be read.")
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
        },
    }
}
_COUNT_DIFFERS = problem(409, "The filter matches another number.")


@router.get("")
async def list_tasks(
    request: Request,
    response: Response,
    site: CurrentSite,
    parameters: Annotated[ListParameters, Query()],
) -> list[TaskSummary]:
    """List tasks, newest first. The `Link` header has the next and the previous page."""
    history = site.manager.history
    page = await history.query(parameters.page(history.now()))
    if links := _links(request, page):
        response.headers["Link"] = links
    return [TaskSummary.model_validate(task).showing(site.arguments(task)) for task in page.tasks]


def _links(request: Request, page: Page) -> str:
    cursors = {"next": page.next, "prev": page.previous}
    return ", ".join(
        link(request, relation, cursor=encode(cursor))
        for relation, cursor in cursors.items()
        if cursor is not None
    )


@router.get("/count")
async def count_tasks(site: CurrentSite, wanted: Annotated[TaskFilter, Query()]) -> TaskCount:
    """Count the tasks that match, up to 10,000: what `expected` of a bulk change is to be."""
    history = site.manager.history
    found = len(await matching(history, wanted.query(history.now()), MOST_EXPECTED + 1))
    return TaskCount(count=min(found, MOST_EXPECTED), more=found > MOST_EXPECTED)


@router.get("/export", response_class=StreamingResponse, responses=_FILE)
async def export_tasks(
    site: CurrentSite, wanted: Annotated[ExportParameters, Query()]
) -> StreamingResponse:
    """All tasks that match, newest first, as a file: CSV for spreadsheets, or a JSON list."""
    history = site.manager.history
    query = wanted.query(history.now())
    found = pages(history, query, await history.query(query))

    def shown(task: TaskRecord) -> TaskSummary:
        return TaskSummary.model_validate(task).showing(site.arguments(task))

    table = wanted.format == "csv"
    return StreamingResponse(
        as_csv(found) if table else as_json(found, shown),
        media_type="text/csv; charset=utf-8" if table else "application/json",
        headers={"Content-Disposition": f'attachment; filename="tasks.{wanted.format}"'},
    )


@router.post("/bulk-retry", responses=_COUNT_DIFFERS | UNREADABLE)
async def bulk_retry(site: CurrentSite, request: BulkRequest) -> BulkResult:
    """Run many tasks again, chosen by id or by a filter with the expected number."""

    async def retry(task_id: str) -> BulkItem:
        new = await site.manager.retry(task_id)
        return BulkItem(task_id=task_id, dispatched=True, new_task_id=new)

    return await changed(await chosen(request, site.manager.history), retry)


@router.post("/bulk-cancel", responses=_COUNT_DIFFERS | UNREADABLE)
async def bulk_cancel(site: CurrentSite, request: BulkRequest) -> BulkResult:
    """Cancel many tasks, chosen by id or by a filter with the expected number."""

    async def cancel(task_id: str) -> BulkItem:
        await site.manager.cancel(task_id)
        return BulkItem(task_id=task_id, dispatched=True)

    return await changed(await chosen(request, site.manager.history), cancel)


@router.post("/retry-failed")
async def retry_failed(
    site: CurrentSite,
    wanted: Annotated[FailedFilter, Query()],
) -> BulkResult:
    """Run failed tasks again, the oldest first; those that already were are skipped."""
    history = site.manager.history
    failed = await matching(history, wanted.query(history.now()), MOST_EXPECTED)
    created = {task.task_id: task.created_at for task in reversed(failed)}

    async def retry(task_id: str) -> BulkItem:
        earlier = await retried_since(history, task_id, created[task_id])
        if earlier is not None:
            reason = f"already retried as {earlier}"
            return BulkItem(task_id=task_id, dispatched=False, reason=reason)
        new = await site.manager.retry(task_id)
        return BulkItem(task_id=task_id, dispatched=True, new_task_id=new)

    return await changed(created, retry)


@router.delete("/history")
async def delete_history(
    site: CurrentSite,
    value: Annotated[float, Query(ge=0, le=100_000, description="The age, in units.")],
    unit: Annotated[Literal["min", "hour", "day"], Query(description="The unit of the age.")],
) -> Deleted:
    """Remove the tasks that finished longer ago than the given age. Figures stay."""
    return Deleted(deleted=await site.manager.history.delete_older_than(value * _UNITS[unit]))


@router.get("/{task_id}", responses=_NOT_FOUND)
async def get_task(task_id: TaskId, site: CurrentSite) -> TaskDetail:
    """One task with everything recorded about it."""
    task = await site.manager.history.get(task_id)
    return TaskDetail.of(task, site.arguments(task))


@router.get("/{task_id}/logs", responses=_NOT_FOUND)
async def get_logs(
    task_id: TaskId,
    site: CurrentSite,
    after: Annotated[int, Query(ge=0, le=2**53, description="The last `seq` you have.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Lines to return.")] = 200,
) -> list[LogLine]:
    """The lines that a task logged, in order."""
    entries = await site.manager.history.logs(task_id, after, limit)
    return [LogLine.of(entry) for entry in entries]


@router.post("/{task_id}/retry", responses=_NOT_FOUND | _WRONG_STATUS | _UNKNOWN_FUNCTION)
async def retry_task(task_id: TaskId, site: CurrentSite) -> Retried:
    """Run a failed, interrupted or rejected task again as a new task."""
    return Retried(task_id=await site.manager.retry(task_id), retry_of=task_id)


@router.post("/{task_id}/cancel", responses=_NOT_FOUND | _WRONG_STATUS)
async def cancel_task(task_id: TaskId, site: CurrentSite) -> TaskSummary:
    """Cancel a waiting or running task. A running one may take a moment to stop."""
    task = await site.manager.cancel(task_id)
    return TaskSummary.model_validate(task).showing(site.arguments(task))
