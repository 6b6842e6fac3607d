from datetime import datetime, timedelta

import httpx
import pytest
from fake_manager import NOON, FakeManager, task

from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.records import Attempt, LogEntry, Progress, TaskStatus

CONTRACT = {
    "task_id", "func_name", "status", "created_at", "start_time", "end_time", "duration",
    "retries_used", "error", "tags", "source", "priority", "executor", "queue",
    "idempotency_key", "run_at", "attempts", "progress", "result", "retry_of", "args",
}  # fmt: skip


def ids(response: httpx.Response) -> list[str]:
    return [each["task_id"] for each in response.json()]


async def test_the_list_is_newest_first_and_leaves_logs_and_stacktrace_out(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(2), task(1), task(3))
    response = await client.get("/tasks")
    assert ids(response) == ["task-0001", "task-0002", "task-0003"]
    assert set(response.json()[0]) == CONTRACT


async def test_a_task_shows_everything_recorded_about_it(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    first = Attempt(0, NOON - timedelta(seconds=9), NOON - timedelta(seconds=8), "boom")
    await manager.hold(
        task(
            0,
            TaskStatus.FAILED,
            error="boom again",
            stacktrace="Traceback ...",
            retries_used=1,
            earlier=(first,),
            tags={"tenant": "acme"},
            progress=Progress(3, 10, "rows"),
        )
    )
    await manager.log("task-0000", LogEntry(1, NOON, 0, "info", "hello", {"size": 3}))
    found = (await client.get("/tasks/task-0000")).json()
    assert set(found) == CONTRACT | {"logs", "stacktrace"}
    assert found["status"] == "failed"
    assert found["duration"] == 1.0
    assert found["stacktrace"] == "Traceback ..."
    assert [each["error"] for each in found["attempts"]] == ["boom", "boom again"]
    assert found["progress"] == {"done": 3, "total": 10, "message": "rows"}
    assert found["logs"][0]["message"] == "hello"
    assert found["logs"][0]["extra"] == {"size": 3}


async def test_times_carry_an_offset(client: httpx.AsyncClient, manager: FakeManager) -> None:
    await manager.hold(task(0))
    found = (await client.get("/tasks/task-0000")).json()
    assert datetime.fromisoformat(found["created_at"]) == NOON
    assert datetime.fromisoformat(found["created_at"]).utcoffset() == timedelta(0)


async def test_extra_values_that_json_does_not_know_are_shown_as_text(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(0))
    await manager.log("task-0000", LogEntry(1, NOON, 0, "info", "hello", {"when": NOON}))
    lines = (await client.get("/tasks/task-0000/logs")).json()
    assert lines[0]["extra"] == {"when": str(NOON)}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=failed", {"task-0002"}),
        ("status=failed&status=pending", {"task-0002", "task-0003"}),
        ("func_name=pay", {"task-0004"}),
        ("queue=mail", {"task-0005"}),
        ("tag=tenant%3Dacme", {"task-0006"}),
        ("tag=tenant", {"task-0006"}),
        ("source=scheduled", {"task-0007"}),
        ("q=BOOM", {"task-0002"}),
        ("since=150s", {"task-0001", "task-0002"}),
        ("since=2026-03-01T11:58:00Z", {"task-0001", "task-0002"}),
        ("since=2026-03-01T11:58:00", {"task-0001", "task-0002"}),
        ("until=2026-03-01T12:54:00%2B01:00", {"task-0007"}),
        ("since=5m&until=4min", {"task-0005"}),
        ("status=failed&func_name=&q=", {"task-0002"}),
    ],
)
async def test_filters_combine(
    client: httpx.AsyncClient, manager: FakeManager, query: str, expected: set[str]
) -> None:
    await manager.hold(
        task(1),
        task(2, TaskStatus.FAILED, error="boom"),
        task(3, TaskStatus.PENDING),
        task(4, func_name="pay"),
        task(5, queue="mail"),
        task(6, tags={"tenant": "acme"}),
        task(7, source="scheduled"),
    )
    assert set(ids(await client.get(f"/tasks?{query}"))) == expected


@pytest.mark.parametrize(
    "query",
    [
        "status=nonsense",
        "source=nobody",
        "limit=0",
        "limit=501",
        "limit=many",
        "since=yesterday",
        "since=0001-01-01T00:00:00%2B10:00",
        "q=%00",
        f"q={'x' * 600}",
        "cursor=nonsense",
        "cursor=%21%21",
        "cursor=WzEsImEiLCJzaWRld2F5cyJd",
        "cursor=WzFlOTk5LCJhIiwib2xkZXIiXQ",
        "cursor=e30",
        "cursor=WzEsMixfQ",
        "cursor=WzEsWyJhIl0sIm9sZGVyIl0",
    ],
)
async def test_a_malformed_parameter_is_named_with_422(
    client: httpx.AsyncClient, query: str
) -> None:
    response = await client.get(f"/tasks?{query}")
    assert response.status_code == 422
    assert query.partition("=")[0] in response.json()["detail"][0]["loc"]


async def test_following_next_shows_every_task_once_and_prev_leads_back(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(*(task(number // 2, task_id=f"{number:03}") for number in range(25)))
    response = await client.get("/tasks?limit=4&func_name=send&status=success&status=failed")
    first = ids(response)
    seen = list(first)
    while "next" in response.links:
        response = await client.get(response.links["next"]["url"])
        assert response.request.url.params.get_list("status") == ["success", "failed"]
        seen += ids(response)
    assert sorted(seen) == [f"{number:03}" for number in range(25)]
    assert len(set(seen)) == 25
    while "prev" in response.links:
        response = await client.get(response.links["prev"]["url"])
    assert ids(response) == first


async def test_a_list_that_fits_has_no_link(client: httpx.AsyncClient) -> None:
    assert "Link" not in (await client.get("/tasks")).headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tasks/gone"),
        ("GET", "/tasks/gone/logs"),
        ("POST", "/tasks/gone/retry"),
        ("POST", "/tasks/gone/cancel"),
    ],
)
async def test_an_unknown_task_is_404(client: httpx.AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, path)
    assert response.status_code == 404
    assert response.json() == {"detail": "no task 'gone'"}


async def test_logs_are_paged_by_their_number(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(0))
    await manager.log(
        "task-0000", *(LogEntry(seq, NOON, 0, "info", f"line {seq}") for seq in range(1, 6))
    )
    lines = (await client.get("/tasks/task-0000/logs?after=2&limit=2")).json()
    assert [line["message"] for line in lines] == ["line 3", "line 4"]


async def test_a_retry_is_a_new_task_that_names_the_original(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(0, TaskStatus.FAILED))
    response = await client.post("/tasks/task-0000/retry")
    assert response.json() == {"task_id": "task-0000-again", "retry_of": "task-0000"}
    assert (await client.get("/tasks/task-0000-again")).json()["retry_of"] == "task-0000"
    assert (await client.get("/tasks/task-0000")).json()["status"] == "failed"


async def test_a_task_that_succeeded_cannot_be_retried_or_cancelled(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(0))
    for action in ("retry", "cancel"):
        response = await client.post(f"/tasks/task-0000/{action}")
        assert response.status_code == 400
        assert "success" in response.json()["detail"]


async def test_a_function_that_is_not_registered_is_409(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(0, TaskStatus.FAILED, func_name="removed"))
    response = await client.post("/tasks/task-0000/retry")
    assert response.status_code == 409
    assert "'removed'" in response.json()["detail"]


async def test_arguments_that_cannot_be_read_are_409(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(0, TaskStatus.FAILED))
    manager.sealed = {"send"}
    response = await client.post("/tasks/task-0000/retry")
    assert response.status_code == 409
    assert response.json()["detail"] == "cannot decrypt: no configured key fits"
    many = await client.post("/tasks/bulk-retry", json={"task_ids": ["task-0000"]})
    assert many.json()["skipped"] == 1


async def test_a_cancelled_task_is_returned_as_it_then_stands(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(0, TaskStatus.PENDING))
    response = await client.post("/tasks/task-0000/cancel")
    assert response.status_code == 200
    assert response.json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("unit", "value", "left"),
    [("min", 5, 4), ("hour", 1, 5), ("day", 0.5, 6), ("min", 0, 1)],
)
async def test_history_older_than_an_age_is_deleted_and_waiting_tasks_are_not(
    client: httpx.AsyncClient, manager: FakeManager, unit: str, value: float, left: int
) -> None:
    finished = [task(minutes) for minutes in (1, 2, 4, 30, 100)]
    await manager.hold(*finished, task(5_000, TaskStatus.PENDING))
    response = await client.delete(f"/tasks/history?value={value}&unit={unit}")
    assert response.json() == {"deleted": 6 - left}
    assert len((await client.get("/tasks")).json()) == left


@pytest.mark.parametrize(
    "query",
    ["", "?value=1", "?unit=day", "?value=-1&unit=day", "?value=nan&unit=day",
     "?value=inf&unit=day", "?value=1&unit=year"],
)  # fmt: skip
async def test_clearing_history_needs_a_sensible_age(
    client: httpx.AsyncClient, manager: FakeManager, query: str
) -> None:
    await manager.hold(task(50_000))
    assert (await client.delete(f"/tasks/history{query}")).status_code == 422
    assert len((await client.get("/tasks")).json()) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tasks"),
        ("GET", "/tasks/one"),
        ("GET", "/tasks/one/logs"),
        ("GET", "/tasks/metrics"),
        ("GET", "/tasks/metrics/series"),
        ("GET", "/tasks/instances"),
        ("GET", "/tasks/dashboard"),
        ("POST", "/tasks/one/retry"),
        ("POST", "/tasks/one/cancel"),
        ("POST", "/tasks/retry-failed"),
        ("DELETE", "/tasks/history?value=1&unit=day"),
    ],
)
async def test_storage_that_does_not_answer_is_503_with_retry_after(
    client: httpx.AsyncClient, manager: FakeManager, method: str, path: str
) -> None:
    manager.trouble = BackendUnavailable("database is locked")
    response = await client.request(method, path)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "database is locked" in response.text
