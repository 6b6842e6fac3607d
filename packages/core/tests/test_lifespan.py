"""Starting and stopping with an application, whatever lifespan it has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from eventually import eventually
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastapi_taskflow_core import (
    BackendMisconfigured,
    BackendUnavailable,
    InMemoryLogger,
    TaskManager,
    TaskObserver,
)
from fastapi_taskflow_core.backends.memory import MemoryBackend


class Diary(TaskObserver):
    """Notes when it is started and closed."""

    def __init__(self, steps: list[str]) -> None:
        self.steps = steps

    async def startup(self) -> None:
        self.steps.append("manager up")

    async def close(self) -> None:
        self.steps.append("manager down")


class Misconfigured(MemoryBackend):
    async def open(self) -> None:
        raise BackendMisconfigured("/no/such/folder/tasks.db: no such folder")


class Away(MemoryBackend):
    """Cannot be reached until told otherwise."""

    away = True

    async def open(self) -> None:
        if self.away:
            raise BackendUnavailable("connection refused")


def with_lifespan(steps: list[str]) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        steps.append("app up")
        try:
            yield
        finally:
            steps.append("app down")

    return FastAPI(lifespan=lifespan)


@pytest.mark.parametrize("how", ["install", "init_app"])
def test_the_manager_lives_within_the_lifespan_of_the_application(how: str) -> None:
    steps: list[str] = []
    app = with_lifespan(steps)
    manager = TaskManager(loggers=[Diary(steps)])
    getattr(manager, how)(app)
    with TestClient(app):
        steps.append("requests")
    assert steps == ["app up", "manager up", "requests", "manager down", "app down"]


def test_an_application_may_start_again(manager: TaskManager, app: FastAPI) -> None:
    ran: list[str] = []

    async def work(name: str) -> None:
        ran.append(name)

    @app.post("/{name}")
    async def route(name: str) -> None:
        await manager.enqueue(work, name)

    for name in ("first", "second"):
        with TestClient(app) as client:
            assert client.post(f"/{name}").status_code == 200
    assert ran == ["first", "second"]


def test_a_backend_that_will_never_work_fails_the_start_and_says_why() -> None:
    steps: list[str] = []
    app = with_lifespan(steps)
    manager = TaskManager(snapshot_backend=Misconfigured(), loggers=[Diary(steps)])
    manager.install(app)
    with pytest.raises(BackendMisconfigured, match="/no/such/folder"), TestClient(app):
        pytest.fail("the application has started")
    assert steps == ["app up", "manager up", "manager down", "app down"]


async def test_the_server_is_told_in_one_line_why_the_start_failed() -> None:
    app = FastAPI()
    TaskManager(snapshot_backend=Misconfigured()).init_app(app)
    sent: list[dict[str, str]] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, str]) -> None:
        sent.append(message)

    with pytest.raises(BackendMisconfigured):
        await app({"type": "lifespan", "app": app, "state": {}}, receive, send)  # type: ignore[arg-type]
    assert sent == [
        {
            "type": "lifespan.startup.failed",
            "message": "fastapi-taskflow cannot start: /no/such/folder/tasks.db: no such folder",
        }
    ]


def test_a_backend_that_is_away_lets_the_application_start_and_is_opened_later() -> None:
    backend = Away()
    manager = TaskManager(snapshot_backend=backend, commit_timeout=1, drain_timeout=0.1)
    app = FastAPI()
    manager.install(app)
    ran: list[str] = []

    @manager.task(persist=True)
    def kept(text: str) -> None:
        ran.append(text)

    async def unpersisted(text: str) -> None:
        ran.append(text)

    async def add(persisted: bool) -> str:
        if persisted:
            return await manager.enqueue(kept, "persisted")
        return await manager.enqueue(unpersisted, "unpersisted")

    with TestClient(app) as client:
        assert client.portal is not None
        assert manager.health().state == "down"
        client.portal.call(add, False)
        with pytest.raises(BackendUnavailable):
            client.portal.call(add, True)
        assert manager.health().last_error == "connection refused"
        assert not manager.health().ok
        backend.away = False

        async def is_up() -> bool:
            return manager.health().state == "up"

        client.portal.call(eventually, is_up)
        task_id = client.portal.call(add, True)
        assert client.portal.call(manager.history.get, task_id).persist
    assert ran == ["unpersisted", "persisted"]


async def test_starting_and_stopping_twice_is_once() -> None:
    steps: list[str] = []
    manager = TaskManager(loggers=[Diary(steps)])
    await manager.shutdown()
    await asyncio.gather(manager.startup(), manager.startup())
    await asyncio.gather(manager.shutdown(), manager.shutdown())
    assert steps == ["manager up", "manager down"]


async def test_observers_hear_what_tasks_do_and_say() -> None:
    log = InMemoryLogger()
    manager = TaskManager(loggers=[log])

    async def work() -> None:
        """Nothing."""

    await manager.startup()
    tasks = manager.new_list()
    tasks.add_task(work, tags={"tenant": "acme"})
    await tasks.finish()
    await manager.shutdown()
    assert [event.status for event in log.lifecycle_events] == ["pending", "running", "success"]
    assert {str(event.tags) for event in log.lifecycle_events} == {"{'tenant': 'acme'}"}


@pytest.mark.parametrize(("asgi", "starts"), [({"spec_version": "2.3"}, 1), ({}, 0)])
async def test_a_request_from_a_server_starts_what_nobody_has_started(
    asgi: dict[str, str], starts: int
) -> None:
    steps: list[str] = []
    app, manager = FastAPI(), TaskManager(loggers=[Diary(steps)])
    manager.install(app)
    told: list[dict[str, object]] = []
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}

    async def send(message: dict[str, object]) -> None:
        told.append(message)

    for _ in range(2):
        await app({**scope, "asgi": {"version": "3.0", **asgi}}, asyncio.Queue().get, send)
    assert [message.get("status") for message in told[::2]] == [404, 404]
    await manager.shutdown()
    assert steps == ["manager up", "manager down"] * starts


async def test_a_late_start_that_fails_is_a_503_and_tried_again() -> None:
    app, manager = FastAPI(), TaskManager(snapshot_backend=Misconfigured())
    manager.install(app)
    statuses: list[object] = []

    async def send(message: dict[str, object]) -> None:
        statuses.append(message.get("status"))

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    for _ in range(2):
        await app({**scope, "asgi": {"spec_version": "2.3"}}, asyncio.Queue().get, send)
    assert statuses == [503, None, 503, None]
