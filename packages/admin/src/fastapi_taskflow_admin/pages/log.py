"""The whole log of a task as plain text, whatever its length."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from fastapi_taskflow_core.history import History
from fastapi_taskflow_core.records import LogEntry

from ..api.tasks import TaskId
from ..site import CurrentSite
from .routes import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_AT_ONCE = 1_000


@router.get("/dashboard/tasks/{task_id}/log")
async def log_text(task_id: TaskId, site: CurrentSite) -> StreamingResponse:
    """All lines that a task has logged so far."""
    history = site.manager.history
    first = await history.logs(task_id, limit=_AT_ONCE)  # an unknown task is an error page
    return StreamingResponse(_text(history, task_id, first), media_type="text/plain; charset=utf-8")


async def _text(history: History, task_id: str, entries: Sequence[LogEntry]) -> AsyncIterator[str]:
    while entries:
        yield "".join(map(written, entries))
        entries = await history.logs(task_id, entries[-1].seq, _AT_ONCE)


def written(entry: LogEntry) -> str:
    """A line of a file: time, attempt, level, message and what came with it."""
    extra = "".join(f" {name}={value}" for name, value in (entry.extra or {}).items())
    head = f"{entry.time.isoformat(timespec='milliseconds')} attempt {entry.attempt + 1}"
    return f"{head} {entry.level} {entry.message}{extra}\n"
