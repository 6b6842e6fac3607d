"""Tasks as a file: streamed page by page, whatever their number."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace

from fastapi_taskflow_core.backends.base import Page, Query
from fastapi_taskflow_core.history import History
from fastapi_taskflow_core.records import TaskRecord

from .schemas import TaskSummary

COLUMNS = (
    "task_id",
    "func_name",
    "status",
    "created_at",
    "start_time",
    "end_time",
    "duration",
    "retries_used",
    "queue",
    "priority",
    "executor",
    "source",
    "tags",
    "idempotency_key",
    "run_at",
    "retry_of",
    "error",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Show = Callable[[TaskRecord], TaskSummary]


async def pages(history: History, query: Query, first: Page) -> AsyncIterator[Sequence[TaskRecord]]:
    """The tasks of a query, from its first page on, newest first."""
    page = first
    while True:
        yield page.tasks
        if page.next is None:
            return
        page = await history.query(replace(query, cursor=page.next))


async def as_csv(found: AsyncIterator[Sequence[TaskRecord]]) -> AsyncIterator[str]:
    """A line per task under a line of names; no cell is a formula for a spreadsheet."""
    yield _lines([COLUMNS])
    async for tasks in found:
        yield _lines([_cell(getattr(task, name)) for name in COLUMNS] for task in tasks)


async def as_json(found: AsyncIterator[Sequence[TaskRecord]], show: Show) -> AsyncIterator[str]:
    """One list of objects, as the list of tasks answers them."""
    before = "["
    async for tasks in found:
        if tasks:
            yield before + ",\n".join(show(task).model_dump_json() for task in tasks)
            before = ",\n"
    yield "[]" if before == "[" else "]"


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        value = " ".join(f"{name}={each}" for name, each in value.items())
    elif hasattr(value, "isoformat"):
        value = value.isoformat()
    text = str(value)
    # A spreadsheet would run what begins like this (OWASP, "CSV Injection").
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(value, int | float) else text
