"""Schedules over HTTP."""

import httpx
import pytest
from fake_manager import FakeManager

from fastapi_taskflow_core.errors import MissingExtra, NotStarted

REPORT = {
    "name": "report",
    "words": "every hour",
    "expression": "every=3600",
    "timezone": "UTC",
    "paused": False,
    "next": ["2026-03-01T13:00:00Z"],
    "last": [{"at": "2026-03-01T12:00:00Z", "outcome": "fired", "task_id": "task-0001"}],
}


async def test_schedules_are_listed_with_their_slots(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/tasks/schedules")).json()
    assert listed == [REPORT] == [(await client.get("/tasks/schedules/report")).json()]


async def test_a_schedule_is_paused_and_resumed(client: httpx.AsyncClient) -> None:
    paused = await client.post("/tasks/schedules/report/pause")
    assert paused.json() == {**REPORT, "paused": True}
    assert (await client.post("/tasks/schedules/report/resume")).json() == REPORT


async def test_a_schedule_is_run_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post("/tasks/schedules/report/run")
    assert answer.json() == {"task_id": "task-0002"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", "/run"), ("POST", "/pause"), ("POST", "/resume")],
)
async def test_a_schedule_that_is_not_there_is_404(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, f"/tasks/schedules/nightly{path}")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "no schedule 'nightly' in this process"}


@pytest.mark.parametrize(
    ("trouble", "status", "said"),
    [
        (MissingExtra("the scheduler", "scheduler"), 501, "pip install"),
        (NotStarted("run"), 503, "run needs a manager that is started"),
    ],
)
async def test_what_is_in_the_way_of_schedules_is_said(
    client: httpx.AsyncClient, manager: FakeManager, trouble: Exception, status: int, said: str
) -> None:
    manager.trouble = trouble
    answer = await client.post("/tasks/schedules/report/run")
    assert answer.status_code == status
    assert said in answer.json()["detail"]
