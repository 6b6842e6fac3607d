"""Queues over HTTP."""

from typing import Any

import httpx
import pytest
from fake_manager import FakeManager, task

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
