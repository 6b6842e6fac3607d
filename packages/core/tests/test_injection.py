"""Which task list a route, its dependencies and other applications get."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.testclient import TestClient

from fastapi_taskflow_core import ManagedBackgroundTasks, TaskManager, TaskRecord
from fastapi_taskflow_core.backends.base import Query

Kept = Callable[[], list[TaskRecord]]


def work() -> None:
    """Nothing."""


def other_work() -> None:
    """Nothing."""


def names(manager: TaskManager) -> list[str]:
    page = asyncio.run(manager.history.query(Query()))
    return sorted(task.func_name for task in page.tasks)


def adding(app: FastAPI, path: str = "/") -> None:
    @app.post(path)
    def add(background_tasks: BackgroundTasks) -> str:
        background_tasks.add_task(work)
        return type(background_tasks).__name__


def test_all_patterns_and_dependencies_of_a_request_share_one_list(
    app: FastAPI, client: TestClient, manager: TaskManager
) -> None:
    seen: list[object] = []

    def deep(background_tasks: BackgroundTasks) -> None:
        seen.append(background_tasks)

    def shallow(
        managed: ManagedBackgroundTasks,
        tasks: Annotated[object, Depends(manager.background_tasks)],
        _: Annotated[None, Depends(deep)],
    ) -> None:
        seen.extend([managed, tasks])

    @app.post("/")
    def route(
        plain: BackgroundTasks,
        tasks: Annotated[object, Depends(manager.get_tasks)],
        _: Annotated[None, Depends(shallow)],
    ) -> None:
        seen.extend([plain, tasks])

    assert client.post("/").status_code == 200
    assert len(seen) == 5
    assert all(each is seen[0] for each in seen)
    assert isinstance(seen[0], ManagedBackgroundTasks)


def test_dependencies_share_one_list_without_installation_too(manager: TaskManager) -> None:
    app, seen = FastAPI(), []

    def dependency(tasks: Annotated[object, Depends(manager.get_tasks)]) -> None:
        seen.append(tasks)

    @app.post("/")
    def route(
        tasks: Annotated[object, Depends(manager.background_tasks)],
        _: Annotated[None, Depends(dependency)],
    ) -> None:
        seen.append(tasks)

    assert TestClient(app).post("/").status_code == 200
    assert len(seen) == 2
    assert seen[0] is seen[1]


def test_each_request_has_a_list_of_its_own(app: FastAPI, client: TestClient) -> None:
    lists: list[object] = []

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> None:
        lists.append(background_tasks)

    client.post("/")
    client.post("/")
    assert lists[0] is not lists[1]


def test_an_app_without_a_manager_keeps_fastapis_own_list(
    app: FastAPI, manager: TaskManager
) -> None:
    plain = FastAPI()
    adding(plain)
    adding(app)
    assert TestClient(plain).post("/").json() == "BackgroundTasks"
    assert names(manager) == []
    assert TestClient(app).post("/").json() == "ManagedBackgroundTasks"
    assert names(manager) == ["work"]


def test_two_apps_with_two_managers_do_not_mix() -> None:
    managers = [TaskManager(), TaskManager()]
    for number, manager in enumerate(managers):
        app = FastAPI()
        manager.install(app)
        adding(app)
        for _ in range(number + 1):
            TestClient(app).post("/")
    assert [len(names(manager)) for manager in managers] == [1, 2]


def test_a_mounted_app_follows_its_parent(app: FastAPI, manager: TaskManager) -> None:
    child = FastAPI()
    adding(child)
    app.mount("/child", child)
    assert TestClient(app).post("/child/").json() == "ManagedBackgroundTasks"
    assert names(manager) == ["work"]


def test_a_mounted_app_with_a_manager_of_its_own_uses_that(
    app: FastAPI, manager: TaskManager
) -> None:
    child, own = FastAPI(), TaskManager()
    own.install(child)
    adding(child)
    adding(app)
    app.mount("/child", child)
    client = TestClient(app)
    client.post("/child/")
    assert (names(manager), names(own)) == ([], ["work"])
    client.post("/")
    assert (names(manager), names(own)) == (["work"], ["work"])


def test_the_manager_of_a_mounted_app_may_start_with_the_parent(app: FastAPI) -> None:
    child, own = FastAPI(), TaskManager()
    own.install(child)
    own.init_app(app)
    adding(child)
    app.mount("/child", child)
    with TestClient(app) as client:
        client.post("/child/")
        assert client.portal is not None
        page = client.portal.call(own.history.query, Query())
    assert [task.func_name for task in page.tasks] == ["work"]


def test_a_list_of_another_manager_in_an_installed_app_stays_with_that_manager(
    app: FastAPI, client: TestClient, manager: TaskManager
) -> None:
    other = TaskManager()

    @app.post("/")
    def route(
        background_tasks: BackgroundTasks,
        tasks: Annotated[ManagedBackgroundTasks, Depends(other.get_tasks)],
    ) -> None:
        background_tasks.add_task(work)
        tasks.add_task(other_work)

    assert client.post("/").status_code == 200
    assert (names(manager), names(other)) == (["work"], ["other_work"])


def test_lists_of_two_managers_in_one_request_do_not_mix() -> None:
    app, one, two = FastAPI(), TaskManager(), TaskManager()

    @app.post("/")
    def route(
        first: Annotated[ManagedBackgroundTasks, Depends(one.get_tasks)],
        second: Annotated[ManagedBackgroundTasks, Depends(two.get_tasks)],
    ) -> None:
        first.add_task(work)
        second.add_task(other_work)

    assert TestClient(app).post("/").status_code == 200
    assert (names(one), names(two)) == (["work"], ["other_work"])


def test_installing_twice_is_once(app: FastAPI, manager: TaskManager) -> None:
    manager.install(app)
    manager.init_app(app)
    adding(app)
    assert len(app.user_middleware) == 1
    TestClient(app).post("/")
    assert names(manager) == ["work"]


def test_an_app_takes_only_one_manager(app: FastAPI) -> None:
    with pytest.raises(ValueError, match="another TaskManager"):
        TaskManager().install(app)


def test_a_task_list_stays_a_fastapi_task_list(app: FastAPI, client: TestClient) -> None:
    kinds: list[Any] = []

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> None:
        kinds.append(isinstance(background_tasks, BackgroundTasks))

    client.post("/")
    assert kinds == [True]


def test_an_undecorated_function_is_tracked(app: FastAPI, client: TestClient, kept: Kept) -> None:
    ids: list[str] = []

    @app.post("/")
    def route(background_tasks: ManagedBackgroundTasks) -> None:
        ids.append(background_tasks.add_task(work))

    client.post("/")
    assert [(task.task_id, task.status) for task in kept()] == [(ids[0], "success")]
