from dataclasses import replace
from datetime import timedelta
from typing import get_args

import httpx
import pytest
from fake_manager import NOON, UP, FakeManager, task

from fastapi_taskflow_core.backends.base import Beat
from fastapi_taskflow_core.health import Health
from fastapi_taskflow_core.metrics import SeriesRange
from fastapi_taskflow_core.records import TaskStatus


async def test_metrics_of_nothing_are_zeros(client: httpx.AsyncClient) -> None:
    figures = (await client.get("/tasks/metrics")).json()
    assert figures["total"] == 0
    assert figures["success_rate"] == 0.0
    assert {figures[status.value] for status in TaskStatus} == {0}
    assert set(figures["durations"].values()) == {None}
    assert figures["functions"] == {}


async def test_metrics_count_every_status_and_every_function(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(
        task(1), task(2), task(3, TaskStatus.FAILED, func_name="pay"), task(4, TaskStatus.PENDING)
    )
    figures = (await client.get("/tasks/metrics")).json()
    assert (figures["total"], figures["success"], figures["failed"]) == (4, 2, 1)
    assert figures["pending"] == 1
    assert figures["success_rate"] == pytest.approx(2 / 3)
    assert figures["durations"] == dict.fromkeys(("avg", "min", "max", "p50", "p95", "p99"), 1.0)
    assert figures["functions"]["pay"]["failed"] == 1
    assert figures["functions"]["send"]["total"] == 3


@pytest.mark.parametrize("span", get_args(SeriesRange))
async def test_a_series_has_at_most_180_buckets_and_holds_the_present(
    client: httpx.AsyncClient, manager: FakeManager, span: str
) -> None:
    await manager.hold(task(0))
    answer = (await client.get(f"/tasks/metrics/series?range={span}")).json()
    assert 1 <= len(answer["buckets"]) <= 180
    assert answer["buckets"][-1]["succeeded"] == 1
    assert answer["buckets"][-1]["p95"] == 1.0


async def test_a_series_can_be_of_one_function(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(0), task(0, func_name="pay", task_id="other"))
    answer = (await client.get("/tasks/metrics/series?range=1h&func_name=pay")).json()
    assert sum(bucket["succeeded"] for bucket in answer["buckets"]) == 1


async def test_an_unknown_range_is_422(client: httpx.AsyncClient) -> None:
    assert (await client.get("/tasks/metrics/series?range=2h")).status_code == 422


@pytest.mark.parametrize(
    ("health", "status"),
    [
        (UP, 200),
        (replace(UP, state="degraded", buffered=3), 200),
        (replace(UP, state="down", last_error="no route", since=NOON), 503),
    ],
)
async def test_health_says_by_its_status_whether_tasks_are_accepted(
    client: httpx.AsyncClient, manager: FakeManager, health: Health, status: int
) -> None:
    manager.state = health
    response = await client.get("/tasks/health")
    assert response.status_code == status
    assert response.json()["state"] == health.state
    assert response.json()["last_error"] == health.last_error
    assert response.json()["buffered"] == health.buffered


async def test_health_answers_while_the_storage_does_not(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    manager.trouble = RuntimeError("not to be asked")
    assert (await client.get("/tasks/health")).status_code == 200


async def test_instances_are_listed(client: httpx.AsyncClient, manager: FakeManager) -> None:
    await manager.backend.beat(
        Beat("web-1", "host", 42, "1.0", NOON, timedelta(seconds=15), running=3)
    )
    found = (await client.get("/tasks/instances")).json()
    assert [(each["instance"], each["pid"], each["running"]) for each in found] == [
        ("web-1", 42, 3)
    ]
