"""The processes that share the storage, and what is theirs."""

import re
from datetime import timedelta

import httpx
import pytest
from fake_manager import NOON, FakeManager, task

from fastapi_taskflow_admin.pages.instances import state
from fastapi_taskflow_core.backends.base import Beat, InstanceInfo
from fastapi_taskflow_core.records import TaskStatus

PENDING, RUNNING = TaskStatus.PENDING, TaskStatus.RUNNING


@pytest.fixture
async def instances(manager: FakeManager) -> None:
    """One with a hundred tasks and more, one with two, one without."""
    began = NOON - timedelta(hours=2)
    for name, running in (("web-1", 1), ("web-2", 0), ("web-3", 0)):
        beat = Beat(name, f"host of {name}", 42, "1.2.3", began, timedelta(seconds=15), running, 7)
        await manager.backend.beat(beat)
    await manager.hold(*(task(n, PENDING, owner="web-1") for n in range(120)))
    await manager.hold(task(200, RUNNING, owner="web-2"), task(201, PENDING, owner="web-2"))
    await manager.hold(task(202, owner="web-2"), task(203, PENDING))


def row_of(page: str, instance: str) -> dict[str, str]:
    """The cells of an instance by the heads of their columns, without markup."""
    heads = re.findall(r"<th [^>]*>(.*?)</th>", page)
    row = page[page.index(f'id="instance-{instance}"') :].partition("</tr>")[0]
    cells = [re.sub("<[^>]*>", " ", cell) for cell in re.findall(r"<td.*?</td>", row)]
    return {head: " ".join(cell.split()) for head, cell in zip(heads, cells, strict=True)}


@pytest.mark.usefixtures("instances")
async def test_an_instance_is_listed_with_what_it_says_and_what_is_its_own(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/tasks/dashboard/instances")).text
    row = row_of(page, "web-2")
    assert re.fullmatch(r"\d+ s ago", row.pop("Last beat"))
    assert row == {
        "Host": "host of web-2 web-2",
        "State": "living",
        "Process": "42",
        "Started": "2026-03-01 10:00:00 UTC",
        "Running": "0",
        "Waiting": "7",
        "Claims": "2",
        "Loop late by": "0 s",
        "Version": "1.2.3",
    }
    assert [row_of(page, name)["Claims"] for name in ("web-1", "web-3")] == ["99+", "0"]


@pytest.mark.usefixtures("instances")
async def test_the_claims_of_an_instance_lead_to_its_tasks(client: httpx.AsyncClient) -> None:
    page = (await client.get("/tasks/dashboard/instances")).text
    link = re.search(r'href="([^"]*instance=web-2)"', page)
    assert link is not None
    listed = (await client.get(httpx.URL("/tasks/dashboard/instances").join(link[1]))).text
    assert re.findall(r'<tr id="task-([\w-]+)"', listed) == ["task-0200", "task-0201"]
    assert '<input type="hidden" name="instance" value="web-2">' in listed
    assert re.search(r'class="chip"[^>]*>.*instance.*web-2', listed)


@pytest.mark.usefixtures("instances")
async def test_tasks_of_an_instance_are_listed_by_the_api(client: httpx.AsyncClient) -> None:
    async def ids(query: str) -> list[str]:
        return [each["task_id"] for each in (await client.get(f"/tasks?{query}")).json()]

    assert await ids("instance=web-2") == ["task-0200", "task-0201"]
    assert await ids("instance=web-2&status=running&status=success") == ["task-0200"]
    assert await ids("instance=web-2&status=success") == []


@pytest.mark.parametrize(
    ("age", "lease", "living", "draining", "word"),
    [
        (1, 15, True, False, "living"),
        (1, 15, True, True, "draining"),
        (12, 15, True, False, "silent"),
        (12, 15, True, True, "silent"),
        (20, 15, False, True, "dead"),
        (25, 60, True, False, "living"),
        (45, 60, True, False, "silent"),
    ],
)
def test_an_instance_is_living_draining_silent_or_dead(
    age: float, lease: float, living: bool, draining: bool, word: str
) -> None:
    info = InstanceInfo("web-1", "host", 42, "1.0", NOON, age, living, 0, 0, 0.0, draining, lease)
    assert state(info).word == word
