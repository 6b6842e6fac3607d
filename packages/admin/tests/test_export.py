"""Tasks as files: harmless in a spreadsheet, and read page by page."""

import csv
import io
import json

import httpx
import pytest
from fake_manager import FakeManager, task

from fastapi_taskflow_admin.api import export, query
from fastapi_taskflow_admin.api.export import as_csv, as_json, pages
from fastapi_taskflow_admin.api.schemas import TaskSummary
from fastapi_taskflow_core.backends.base import Query
from fastapi_taskflow_core.records import TaskStatus

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("formula", FORMULAS)
async def test_no_cell_is_a_formula(
    client: httpx.AsyncClient, manager: FakeManager, formula: str
) -> None:
    fields = {"queue": formula, "idempotency_key": formula, "tags": {formula: formula}}
    await manager.hold(task(1, TaskStatus.FAILED, func_name=formula, error=formula, **fields))
    [row] = rows((await client.get("/tasks/export")).text)
    for name in ("func_name", "queue", "idempotency_key", "error", "tags"):
        assert row[name].startswith(f"'{formula}")
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


async def test_numbers_times_and_awkward_text_come_through(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    awkward = 'a "quoted", text;\nover two lines, é 名 🔑'
    await manager.hold(task(1, TaskStatus.FAILED, error=awkward, priority=-3))
    [row] = rows((await client.get("/tasks/export")).text)
    assert (row["error"], row["priority"], row["duration"]) == (awkward, "-3", "1.0")
    assert row["created_at"] == "2026-03-01T11:59:00+00:00"


async def test_both_files_have_every_task_once(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    many = 2 * query.LARGEST_PAGE + 7
    await manager.hold(*(task(number, task_id=f"{number:05}") for number in range(many)))
    expected = [f"{number:05}" for number in range(many)]
    table = await client.get("/tasks/export?format=csv")
    listed = await client.get("/tasks/export?format=json")
    assert [row["task_id"] for row in rows(table.text)] == expected
    assert [each["task_id"] for each in json.loads(listed.text)] == expected
    assert "content-length" not in table.headers
    assert table.headers["content-disposition"] == 'attachment; filename="tasks.csv"'


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_a_page_is_read_when_the_one_before_was_sent(manager: FakeManager, form: str) -> None:
    await manager.hold(*(task(number) for number in range(9)))
    asked: list[Query] = []

    class Counted:
        async def query(self, query: Query):
            asked.append(query)
            return await manager.history.query(query)

    question = Query(limit=3)
    found = pages(Counted(), question, await manager.history.query(question))
    sent = as_csv(found) if form == "csv" else as_json(found, TaskSummary.model_validate)
    first = await anext(sent)
    if form == "csv":
        assert first.startswith(export.COLUMNS[0])
        first = await anext(sent)
    assert "task-0000" in first
    assert len(asked) == 0
    assert "task-0003" in await anext(sent)
    assert len(asked) == 1


async def test_nothing_is_a_file_too(client: httpx.AsyncClient) -> None:
    assert (await client.get("/tasks/export?format=json")).json() == []
    assert rows((await client.get("/tasks/export?format=csv")).text) == []
