"""Accepted means durable: what a successful answer promises about persisted tasks."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from eventually import ended
from fastapi import BackgroundTasks, FastAPI, Response
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from starlette.background import BackgroundTask
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_taskflow_core import (
    BackendUnavailable,
    ManagedBackgroundTasks,
    TaskArgumentError,
    TaskManager,
)
from fastapi_taskflow_core.backends.base import Batch, Query, Written
from fastapi_taskflow_core.backends.memory import MemoryBackend


class Slow(MemoryBackend):
    """Takes a while for every write, and notes when a persisted task is stored."""

    def __init__(self, steps: list[str]) -> None:
        super().__init__()
        self.steps = steps
        self.full = False

    async def write(self, batch: Batch) -> Written:
        await asyncio.sleep(0.01)
        if self.full:
            raise BackendUnavailable("the disk is full")
        if any(task.persist for task in batch.inserts) and batch.durable:
            self.steps.append("stored")
        return await super().write(batch)


class Setting:
    """An application whose answers and storage are watched."""

    def __init__(self, **settings: Any) -> None:
        self.steps: list[str] = []
        self.backend = Slow(self.steps)
        self.manager = TaskManager(snapshot_backend=self.backend, **settings)
        self.app = FastAPI()
        self.manager.install(self.app)

        @self.manager.task(persist=True)
        async def work() -> None:
            self.steps.append("ran")

        self.work = work

    async def watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.steps.append(f"answer {message['status']}")
            await send(message)

        await self.app(scope, receive, note if scope["type"] == "http" else send)

    def post(self) -> httpx.Response:
        watched: ASGIApp = self.watched
        with TestClient(watched) as client:
            answer: httpx.Response = client.post("/")
            return answer


@pytest.fixture
def setting() -> Setting:
    return Setting(commit_timeout=30)


@pytest.fixture
def without_storage() -> Setting:
    """Nothing is committed, so there is no reason to wait for long."""
    setting = Setting(commit_timeout=0.05, drain_timeout=0.2)
    setting.backend.full = True
    return setting


def adding(setting: Setting, **options: Any) -> None:
    @setting.app.post("/")
    def route(background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(setting.work, **options)


def adding_beside_another_background(setting: Setting) -> None:
    @setting.app.post("/")
    def route(background_tasks: BackgroundTasks) -> Response:
        background_tasks.add_task(setting.work)
        return JSONResponse({}, background=BackgroundTask(int))


def adding_eagerly(setting: Setting) -> None:
    adding(setting, eager=True)


def adding_with_priority(setting: Setting) -> None:
    adding(setting, priority=5)


def enqueuing(setting: Setting) -> None:
    @setting.app.post("/")
    async def route() -> None:
        await setting.manager.enqueue(setting.work)


def enqueuing_eagerly(setting: Setting) -> None:
    @setting.app.post("/")
    async def route() -> None:
        await setting.manager.enqueue(setting.work, eager=True)


@pytest.mark.parametrize(
    "add",
    [
        adding,
        adding_beside_another_background,
        adding_eagerly,
        adding_with_priority,
        enqueuing,
        enqueuing_eagerly,
    ],
)
def test_a_persisted_task_is_durable_before_the_answer(
    setting: Setting, add: Callable[[Setting], None]
) -> None:
    add(setting)
    setting.post()
    assert setting.steps.index("stored") < setting.steps.index("answer 200")
    assert setting.steps.count("ran") == 1


@pytest.mark.parametrize("add", [adding, adding_eagerly, adding_with_priority])
def test_without_storage_the_answer_is_503_and_nothing_runs(
    without_storage: Setting, add: Callable[[Setting], None]
) -> None:
    add(without_storage)
    answer = without_storage.post()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["detail"]
    assert without_storage.steps == ["answer 503"]


@pytest.mark.parametrize("add", [adding, adding_eagerly])
def test_a_refused_task_leaves_no_record_when_the_storage_is_back(
    without_storage: Setting, add: Callable[[Setting], None]
) -> None:
    setting = without_storage
    add(setting)
    watched: ASGIApp = setting.watched
    with TestClient(watched) as client:
        assert client.portal is not None
        assert client.post("/").status_code == 503
        setting.backend.full = False
        page = client.portal.call(setting.manager.history.query, Query())
        assert list(page.tasks) == []
    assert "ran" not in setting.steps


def test_unpersisted_tasks_do_not_wait_for_the_storage(without_storage: Setting) -> None:
    steps = without_storage.steps

    @without_storage.app.post("/")
    def route(background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(steps.append, "ran")

    answer = without_storage.post()
    assert answer.status_code == 200
    assert steps == ["answer 200", "ran"]


async def test_a_running_list_can_be_committed(setting: Setting) -> None:
    manager = setting.manager
    await manager.startup()
    tasks = manager.new_list()
    tasks.run()
    tasks.add_task(setting.work)
    await tasks.commit()
    assert "stored" in setting.steps
    await tasks.finish()
    await manager.shutdown()
    assert setting.steps.count("ran") == 1


async def test_what_a_running_list_cannot_commit_does_not_run(without_storage: Setting) -> None:
    manager = without_storage.manager
    await manager.startup()
    tasks = manager.new_list()
    tasks.run()
    tasks.add_task(without_storage.work)
    with pytest.raises(BackendUnavailable):
        await tasks.commit()
    without_storage.backend.full = False
    await tasks.finish()
    await manager.shutdown()
    assert without_storage.steps == []


async def test_a_task_that_was_enqueued_runs_although_nobody_waits_for_it(setting: Setting) -> None:
    await setting.manager.startup()
    task_id = await setting.manager.enqueue(setting.work)
    await ended(setting.manager, task_id)
    await setting.manager.shutdown()
    assert setting.steps == ["stored", "ran"]


@pytest.mark.parametrize("eager", [True, False])
async def test_who_is_cancelled_while_enqueuing_has_enqueued_nothing(
    setting: Setting, eager: bool
) -> None:
    await setting.manager.startup()
    enqueuing = asyncio.ensure_future(setting.manager.enqueue(setting.work, eager=eager))
    await asyncio.sleep(0)
    enqueuing.cancel()
    await asyncio.wait([enqueuing])
    assert list((await setting.manager.history.query(Query())).tasks) == []
    await setting.manager.shutdown()
    assert "ran" not in setting.steps


async def test_what_cannot_be_stored_is_refused_at_the_call(setting: Setting) -> None:
    @setting.manager.task(persist=True)
    async def takes(value: object) -> None:
        """Nothing."""

    tasks: ManagedBackgroundTasks = setting.manager.new_list()
    with pytest.raises(TaskArgumentError, match="value"):
        tasks.add_task(takes, object())


async def test_what_cannot_be_stored_runs_where_it_need_not_be(setting: Setting) -> None:
    got: list[object] = []
    value = object()
    tasks = setting.manager.new_list()
    tasks.add_task(got.append, value)
    await tasks.finish()
    assert got == [value]


async def test_a_lambda_cannot_be_persisted() -> None:
    manager = TaskManager(requeue_pending=True)
    with pytest.raises(TaskArgumentError, match="lambda"):
        manager.new_list().add_task(lambda: None)
