"""What many viewers ask for at once is made once."""

import asyncio

import pytest
from clients import local, sign_in
from fake_manager import FakeManager, task
from fastapi import FastAPI
from people import PASSWORDS, guarded

from fastapi_taskflow_admin import shared
from fastapi_taskflow_admin.shared import Shared
from fastapi_taskflow_core.records import TaskStatus

REFRESH = {"Taskflow-Part": "board"}
PAGES = ["/dashboard/rows", "/dashboard", "/dashboard/failures", "/dashboard/functions"]


class Maker:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.trouble: Exception | None = None

    async def __call__(self) -> str:
        self.asked += 1
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        return f"page {self.asked}"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, manager: FakeManager) -> list[object]:
    """What the backend is asked for."""
    questions: list[object] = []
    query, rollups = manager.backend.query, manager.backend.rollups
    monkeypatch.setattr(manager.backend, "query", lambda it: questions.append(it) or query(it))
    monkeypatch.setattr(manager.backend, "rollups", lambda it: questions.append(it) or rollups(it))
    return questions


async def test_of_many_who_ask_at_once_one_has_it_made() -> None:
    made, maker = Shared(), Maker()
    assert set(await asyncio.gather(*(made.get("a", maker) for _ in range(20)))) == {"page 1"}
    assert await made.get("b", maker) == "page 2"


async def test_it_is_made_anew_after_a_second_and_after_a_change() -> None:
    clock = [0.0]
    made, maker = Shared(lambda: clock[0]), Maker()
    assert await made.get("a", maker) == "page 1"
    clock[0] = 0.99
    assert await made.get("a", maker) == "page 1"
    clock[0] = 1.0
    assert await made.get("a", maker) == "page 2"
    made.clear()
    assert await made.get("a", maker) == "page 3"


async def test_if_it_cannot_be_made_the_next_one_tries() -> None:
    made, maker = Shared(), Maker()
    maker.trouble = ValueError("odd")
    answers = await asyncio.gather(
        *(made.get("a", maker) for _ in range(3)), return_exceptions=True
    )
    assert {str(each) for each in answers} == {"odd"}
    maker.trouble = None
    assert await made.get("a", maker) == "page 4"


async def test_it_keeps_little() -> None:
    made, maker = Shared(lambda: 0.0), Maker()
    for number in range(shared.MOST + 1):
        await made.get(number, maker)
    assert await made.get(0, maker) == f"page {shared.MOST + 2}"


@pytest.mark.parametrize("path", PAGES)
async def test_twenty_viewers_of_a_page_cost_what_one_does(
    app: FastAPI,
    manager: FakeManager,
    asked: list[object],
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared, "KEPT", 3600)  # all within a second, however long it takes
    await manager.hold(task(1, TaskStatus.FAILED, error="no"))
    async with local(app) as client:
        await client.get(f"/tasks{path}", headers=REFRESH)
        once = len(asked)
        answers = [await client.get(f"/tasks{path}", headers=REFRESH) for _ in range(20)]
    assert once > 0
    assert len(asked) == once
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("path", PAGES)
async def test_other_filters_and_a_page_that_is_opened_are_made_anew(
    app: FastAPI, asked: list[object], path: str
) -> None:
    async with local(app) as client:
        await client.get(f"/tasks{path}", headers=REFRESH)
        once = len(asked)
        await client.get(f"/tasks{path}?since=1h", headers=REFRESH)
        assert len(asked) > once
        once = len(asked)
        await client.get(f"/tasks{path.replace('/rows', '')}")
        assert len(asked) > once


async def test_what_somebody_changed_is_seen_at_once(app: FastAPI, manager: FakeManager) -> None:
    await manager.hold(task(1, TaskStatus.PENDING))
    async with local(app) as client:
        before = await client.get("/tasks/dashboard/rows")
        await client.post("/tasks/task-0001/cancel")
        after = await client.get("/tasks/dashboard/rows")
    assert "cancelled" in after.text.partition('id="rows"')[2]
    assert before.headers["ETag"] != after.headers["ETag"]


async def test_nobody_gets_what_was_made_for_somebody_with_other_permissions(
    manager: FakeManager,
) -> None:
    await manager.hold(task(1, TaskStatus.FAILED))
    app, shown = guarded(manager), {}
    for name in ("ada", "vera"):
        async with local(app) as client:
            await sign_in(client, name, PASSWORDS[name])
            shown[name] = (await client.get("/tasks/dashboard/rows")).text
    assert "Retry" in shown["ada"]
    assert "Retry" not in shown["vera"]
