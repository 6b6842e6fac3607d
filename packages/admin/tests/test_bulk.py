import httpx
import pytest
from fake_manager import FakeManager, task

from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.records import TaskStatus

FAILED = TaskStatus.FAILED


async def test_bulk_retry_answers_for_every_task(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(
        task(1, FAILED), task(2), task(3, FAILED, func_name="removed"), task(4, FAILED)
    )
    wanted = ["task-0001", "task-0002", "task-0003", "gone", "task-0004", "task-0001"]
    response = await client.post("/tasks/bulk-retry", json={"task_ids": wanted})
    assert response.status_code == 200
    answer = response.json()
    assert (answer["dispatched"], answer["skipped"]) == (2, 3)
    by_id = {item["task_id"]: item for item in answer["results"]}
    assert by_id["task-0001"]["new_task_id"] == "task-0001-again"
    assert by_id["task-0004"]["dispatched"] is True
    assert "success" in by_id["task-0002"]["reason"]
    assert "removed" in by_id["task-0003"]["reason"]
    assert "gone" in by_id["gone"]["reason"]


async def test_bulk_retry_by_filter_takes_all_pages_of_what_matches(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(*(task(number, FAILED) for number in range(1_200)), task(9, task_id="ok"))
    body = {"filter": {"status": ["failed"]}, "expected": 1_200}
    answer = (await client.post("/tasks/bulk-retry", json=body)).json()
    assert (answer["dispatched"], answer["skipped"]) == (1_200, 0)


async def test_bulk_cancel_leaves_finished_tasks_alone(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(1, TaskStatus.PENDING), task(2))
    body = {"filter": {"func_name": "send"}, "expected": 2}
    answer = (await client.post("/tasks/bulk-cancel", json=body)).json()
    assert (answer["dispatched"], answer["skipped"]) == (1, 1)
    assert (await manager.history.get("task-0001")).status is TaskStatus.CANCELLED
    assert (await manager.history.get("task-0002")).status is TaskStatus.SUCCESS


async def test_when_the_storage_goes_away_half_way_the_answer_says_what_was_done(
    client: httpx.AsyncClient, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    await manager.hold(task(1, FAILED), task(2, FAILED), task(3, FAILED))
    retry = manager.retry

    async def failing(task_id: str) -> str:
        if task_id != "task-0001":
            raise BackendUnavailable("cut off")
        return await retry(task_id)

    monkeypatch.setattr(manager, "retry", failing)
    body = {"task_ids": ["task-0001", "task-0002", "task-0003"]}
    answer = (await client.post("/tasks/bulk-retry", json=body)).json()
    assert [item["dispatched"] for item in answer["results"]] == [True, False, False]
    assert answer["results"][2]["reason"] == "cut off"


@pytest.mark.parametrize("expected", [0, 1, 3])
async def test_another_number_than_expected_is_409_and_changes_nothing(
    client: httpx.AsyncClient, manager: FakeManager, expected: int
) -> None:
    await manager.hold(task(1, FAILED), task(2, FAILED))
    body = {"filter": {"status": "failed"}, "expected": expected}
    response = await client.post("/tasks/bulk-retry", json=body)
    assert response.status_code == 409
    assert len((await client.get("/tasks")).json()) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"task_ids": []},
        {"task_ids": ["a"] * 1_001},
        {"task_ids": ["a"], "expected": 1},
        {"task_ids": ["a"], "filter": {}, "expected": 1},
        {"filter": {"status": ["failed"]}},
        {"filter": {"states": ["failed"]}, "expected": 1},
        {"filter": {"status": ["nonsense"]}, "expected": 1},
        {"filter": {"since": 5}, "expected": 1},
        {"filter": {}, "expected": -1},
        {"filter": {}, "expected": 1, "dry_run": True},
        [],
    ],
)
@pytest.mark.parametrize("path", ["/tasks/bulk-retry", "/tasks/bulk-cancel"])
async def test_an_unclear_bulk_request_is_422(
    client: httpx.AsyncClient, path: str, body: object
) -> None:
    assert (await client.post(path, json=body)).status_code == 422


async def test_retry_failed_takes_the_failed_tasks_of_a_window_and_function_oldest_first(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(
        task(10, FAILED),
        task(20, FAILED),
        task(30, TaskStatus.INTERRUPTED),
        task(40, FAILED, func_name="pay"),
        task(500, FAILED),
    )
    answer = (await client.post("/tasks/retry-failed?since=6h&func_name=send")).json()
    assert [item["task_id"] for item in answer["results"]] == ["task-0020", "task-0010"]
    assert answer["dispatched"] == 2


async def test_retry_failed_twice_runs_nothing_twice(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(10, FAILED))
    await client.post("/tasks/retry-failed")
    answer = (await client.post("/tasks/retry-failed")).json()
    assert (answer["dispatched"], answer["skipped"]) == (0, 1)
    assert "task-0010-again" in answer["results"][0]["reason"]


async def test_without_a_window_retry_failed_takes_all(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(10, FAILED), task(100_000, FAILED))
    assert (await client.post("/tasks/retry-failed")).json()["dispatched"] == 2
