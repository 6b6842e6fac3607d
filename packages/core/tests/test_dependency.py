"""``Depends(task_manager.get_tasks)`` in applications where nothing is installed."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, HTTPException, Response, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.testclient import TestClient
from starlette.background import BackgroundTask

from fastapi_taskflow_core import ManagedBackgroundTasks, TaskManager, TaskRecord
from fastapi_taskflow_core.backends.base import Batch, Written
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.errors import BackendUnavailable

Kept = Callable[[], list[TaskRecord]]


class Refusing(MemoryBackend):
    """Takes nothing."""

    async def write(self, batch: Batch) -> Written:
        raise BackendUnavailable("the disk is full")


@pytest.fixture
def app() -> FastAPI:
    return FastAPI()


def test_tasks_run_after_the_response(
    app: FastAPI, client: TestClient, manager: TaskManager, kept: Kept
) -> None:
    steps: list[str] = []

    @app.post("/")
    async def route(tasks: Annotated[ManagedBackgroundTasks, Depends(manager.get_tasks)]) -> str:
        task_id = tasks.add_task(steps.append, "task")
        steps.append("route")
        return task_id

    answer = client.post("/").json()
    assert steps == ["route", "task"]
    assert [task.task_id for task in kept()] == [answer]


@pytest.mark.parametrize("error", [HTTPException(418), ValueError("no")])
def test_tasks_of_a_route_that_raises_never_were(
    app: FastAPI, client: TestClient, manager: TaskManager, kept: Kept, error: Exception
) -> None:
    ran: list[int] = []

    @app.post("/")
    def route(tasks: Annotated[ManagedBackgroundTasks, Depends(manager.get_tasks)]) -> None:
        tasks.add_task(ran.append, 1)
        raise error

    assert client.post("/").status_code >= 400
    assert (ran, kept()) == ([], [])


def test_tasks_beside_a_background_of_the_response_run(
    app: FastAPI, client: TestClient, manager: TaskManager
) -> None:
    ran: list[str] = []

    @app.post("/")
    def route(tasks: Annotated[ManagedBackgroundTasks, Depends(manager.get_tasks)]) -> Response:
        tasks.add_task(ran.append, "task")
        return JSONResponse({}, background=BackgroundTask(ran.append, "own"))

    client.post("/")
    assert sorted(ran) == ["own", "task"]


def test_tasks_added_after_the_yield_of_any_dependency_run(
    app: FastAPI, client: TestClient, manager: TaskManager
) -> None:
    ran: list[str] = []
    tasks_of = Depends(manager.get_tasks)

    def before() -> Iterator[list[ManagedBackgroundTasks]]:
        lists: list[ManagedBackgroundTasks] = []
        yield lists
        lists[0].add_task(ran.append, "opened before the list")

    def after(tasks: Annotated[ManagedBackgroundTasks, tasks_of]) -> Iterator[None]:
        yield
        tasks.add_task(ran.append, "opened after the list")

    @app.post("/")
    def route(
        lists: Annotated[list[ManagedBackgroundTasks], Depends(before)],
        tasks: Annotated[ManagedBackgroundTasks, tasks_of],
        _: Annotated[None, Depends(after)],
    ) -> None:
        lists.append(tasks)

    assert client.post("/").status_code == 200
    assert sorted(ran) == ["opened after the list", "opened before the list"]


def test_tasks_of_a_websocket_run(app: FastAPI, client: TestClient, manager: TaskManager) -> None:
    done = threading.Event()

    @app.websocket("/")
    async def endpoint(
        websocket: WebSocket, tasks: Annotated[ManagedBackgroundTasks, Depends(manager.get_tasks)]
    ) -> None:
        await websocket.accept()
        tasks.add_task(done.set)
        await tasks.commit()
        await websocket.receive_text()

    with client.websocket_connect("/") as websocket:
        assert done.wait(30)
        websocket.send_text("bye")


def test_a_waiting_retry_holds_no_dependency_open(
    app: FastAPI, client: TestClient, manager: TaskManager
) -> None:
    steps: list[str] = []

    async def session() -> AsyncIterator[None]:
        yield
        steps.append("session closed")

    @manager.task(retries=1, delay=0.01)
    async def flaky() -> None:
        steps.append("attempt")
        if len(steps) == 1:
            raise ValueError

    @app.post("/")
    async def route(
        _: Annotated[None, Depends(session)],
        tasks: Annotated[ManagedBackgroundTasks, Depends(manager.get_tasks)],
    ) -> None:
        tasks.add_task(flaky)

    client.post("/")
    assert steps == ["attempt", "session closed", "attempt"]


def test_a_body_that_breaks_off_does_not_lose_tasks(
    app: FastAPI, client: TestClient, manager: TaskManager
) -> None:
    ran: list[int] = []

    def body() -> Iterator[bytes]:
        yield b"one"
        raise ConnectionResetError

    @app.post("/")
    def route(
        tasks: Annotated[ManagedBackgroundTasks, Depends(manager.get_tasks)],
    ) -> StreamingResponse:
        tasks.add_task(ran.append, 1)
        return StreamingResponse(body())

    with pytest.raises(ConnectionResetError):
        TestClient(app).post("/")
    assert ran == [1]


def test_what_cannot_be_stored_is_refused_and_does_not_run(app: FastAPI) -> None:
    manager = TaskManager(
        snapshot_backend=Refusing(), requeue_pending=True, commit_timeout=0.02, drain_timeout=0
    )
    ran: list[int] = []

    @manager.task()
    def work() -> None:
        ran.append(1)

    @app.post("/")
    def route(tasks: Annotated[ManagedBackgroundTasks, Depends(manager.get_tasks)]) -> None:
        tasks.add_task(work)

    manager.init_app(app)
    with TestClient(app) as client:
        answer = client.post("/")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert ran == []


def test_a_retry_is_over_when_the_request_is(
    app: FastAPI, client: TestClient, manager: TaskManager, kept: Kept
) -> None:
    @manager.task(retries=2, delay=0.001)
    async def flaky() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    @app.post("/")
    async def route(tasks: Annotated[ManagedBackgroundTasks, Depends(manager.get_tasks)]) -> None:
        tasks.add_task(flaky)

    client.post("/")
    assert [(task.status, task.retries_used) for task in kept()] == [("failed", 2)]
