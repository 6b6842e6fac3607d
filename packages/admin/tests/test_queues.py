"""Queues over HTTP."""

import re
from typing import Any

import httpx
import pytest
from fake_manager import FakeManager, task

from fastapi_taskflow_core.engine.turns import Turns
from fastapi_taskflow_core.options import QueueConfig
from fastapi_taskflow_core.records import TaskStatus

MAIL = {
    "name": "mail",
    "concurrency": 3,
    "max_size": 9,
    "paused": False,
    "running": 0,
    "waiting": 0,
    "rejected": 0,
}


async def test_queues_are_listed_with_their_limits(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/tasks/queues")).json()
    assert [queue["name"] for queue in listed] == ["default", "mail"]
    assert listed[1] == MAIL == (await client.get("/tasks/queues/mail")).json()


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"concurrency": 5}, {"concurrency": 5}),
        ({"max_size": None}, {"max_size": None}),
        ({"concurrency": None, "max_size": 0}, {"concurrency": None, "max_size": 0}),
        ({}, {}),
    ],
)
async def test_what_a_change_leaves_out_stays(
    client: httpx.AsyncClient, change: dict[str, Any], left: dict[str, Any]
) -> None:
    answer = await client.patch("/tasks/queues/mail", json=change)
    assert answer.json() == {**MAIL, **left} == (await client.get("/tasks/queues/mail")).json()


@pytest.mark.parametrize(
    ("change", "named"),
    [({"concurrency": 0}, "concurrency"), ({"max_size": "9"}, "max_size"), ({"size": 1}, "size")],
)
async def test_a_limit_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, change: dict[str, Any], named: str
) -> None:
    answer = await client.patch("/tasks/queues/mail", json=change)
    assert answer.status_code == 422
    assert named in answer.text


async def test_a_queue_is_paused_and_resumed(client: httpx.AsyncClient) -> None:
    assert (await client.post("/tasks/queues/mail/pause")).json() == {**MAIL, "paused": True}
    assert (await client.post("/tasks/queues/mail/resume")).json() == MAIL


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("PATCH", ""), ("POST", "/pause"), ("POST", "/resume")],
)
async def test_a_queue_that_is_not_there_is_404(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(
        method, f"/tasks/queues/male{path}", json={} if method == "PATCH" else None
    )
    assert (answer.status_code, answer.json()) == (404, {"detail": "no queue 'male'"})


async def test_a_retry_that_finds_its_queue_full_is_503_and_in_bulk_skipped(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    manager.full.add("mail")
    await manager.hold(task(1, TaskStatus.FAILED, queue="mail"), task(2, TaskStatus.FAILED))
    alone = await client.post("/tasks/task-0001/retry")
    assert (alone.status_code, alone.headers["retry-after"]) == (503, "5")
    assert "queue 'mail' is full" in alone.json()["detail"]
    many = await client.post("/tasks/bulk-retry", json={"task_ids": ["task-0001", "task-0002"]})
    assert (many.json()["dispatched"], many.json()["skipped"]) == (1, 1)


@pytest.fixture
def many(manager: FakeManager) -> FakeManager:
    """A manager of 121 queues."""
    names = [f"tenant-{number:03}" for number in range(120)]
    manager.turns = Turns({name: QueueConfig(concurrency=3, max_size=9) for name in names}, {})
    return manager


def _named(page: str) -> list[str]:
    return re.findall(r'<tr id="queue-([^"]+)"', page)


@pytest.mark.usefixtures("many")
async def test_of_many_queues_a_page_shows_fifty_and_leads_on(client: httpx.AsyncClient) -> None:
    found, href = [], ""
    for told in ("1 to 50 of 121", "51 to 100 of 121", "101 to 121 of 121"):
        page = (await client.get(f"/tasks/dashboard/queues{href}")).text
        assert told in page
        assert len(page) < 70_000
        found.append(_named(page))
        href = "".join(re.findall(r'rel="next" href="([^"]+)"', page))
    assert [len(names) for names in found] == [50, 50, 21]
    assert len({name for names in found for name in names}) == 121
    beyond = (await client.get("/tasks/dashboard/queues?page=9")).text
    assert _named(beyond) == found[-1]


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("word", "names"),
    [("TENANT-00", [f"tenant-{n:03}" for n in range(10)]), ("fault", ["default"]), ("<b>", [])],
)
async def test_queues_are_found_by_a_part_of_their_name(
    client: httpx.AsyncClient, word: str, names: list[str]
) -> None:
    page = (await client.get("/tasks/dashboard/queues", params={"q": word})).text
    assert _named(page) == names
    assert ("No queue matches" in page) == (not names)
    assert "<b>" not in page


async def test_few_queues_need_neither_search_nor_pages(client: httpx.AsyncClient) -> None:
    page = (await client.get("/tasks/dashboard/queues")).text
    assert _named(page) == ["default", "mail"]
    assert 'id="q"' not in page
    assert 'id="pager"' not in page
