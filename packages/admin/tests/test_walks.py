"""Every registered route again: for other sites, for foreign names of this machine, for viewers."""

import asyncio
import re

import anyio.to_thread
import pytest
from clients import OPEN, every_route, local, sign_in
from fake_manager import FakeManager, task
from fastapi import FastAPI
from people import PASSWORDS, guarded

from fastapi_taskflow_admin import TaskAdmin
from fastapi_taskflow_core.records import TaskStatus

CROSS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", CROSS, ids=str)
@pytest.mark.parametrize("auth", [None, False, "people"])
async def test_no_route_takes_a_change_from_another_site(
    manager: FakeManager, auth: bool | str | None, headers: dict[str, str]
) -> None:
    await manager.hold(task(0, TaskStatus.FAILED, task_id="one"))
    app = FastAPI()
    if auth == "people":
        app = guarded(manager)
    else:
        TaskAdmin(app, manager, auth=auth)
    async with local(app) as client:
        if auth == "people":
            await sign_in(client, "ada", PASSWORDS["ada"])
        before = await manager.entries()
        changes = [route for route in every_route(app) if route[0] not in {"GET", "HEAD"}]
        answers = {
            route: (await client.request(*route, headers=headers)).status_code for route in changes
        }
    assert len(changes) >= 12
    assert {route: status for route, status in answers.items() if status != 403} == {}
    assert await manager.entries() == before


@pytest.mark.parametrize("host", ["rebound.example", "localhost.evil.example", "127.0.0.1.nip.io"])
async def test_no_route_answers_to_a_foreign_name_of_this_machine(
    app: FastAPI, manager: FakeManager, host: str
) -> None:
    await manager.hold(task(0, TaskStatus.FAILED, task_id="one"))
    async with local(app, "127.0.0.1", host) as client:
        answers = {route: (await client.request(*route)).status_code for route in every_route(app)}
    assert {route: status for route, status in answers.items() if status != 403} == {}


async def test_who_may_only_look_is_shown_nothing_to_press(manager: FakeManager) -> None:
    await manager.hold(
        task(0, TaskStatus.FAILED, error="no", task_id="one"), task(1, TaskStatus.PENDING), task(2)
    )
    app = guarded(manager)
    pages = [
        path
        for method, path in every_route(app)
        if (method, path) not in OPEN and re.match("/tasks/dashboard(?!/stream)", path)
    ]
    assert len(pages) >= 10
    shown: dict[str, dict[str, int]] = {}
    for name in ("vera", "ada"):
        async with local(app) as client:
            await sign_in(client, name, PASSWORDS[name])
            for page in pages:
                html = (await client.get(page)).text
                found = re.findall(r"data-action|data-bulk|type=.checkbox. aria-label", html)
                shown.setdefault(page, {})[name] = len(found)
    assert {page for page, by in shown.items() if by["vera"]} == set()
    pressed = {page for page, by in shown.items() if by["ada"]}
    assert {
        f"/tasks/dashboard{it}" for it in ("/tasks", "/tasks/one", "/queues", "/failures")
    } <= pressed


@pytest.mark.parametrize("route", sorted(OPEN))
async def test_what_is_open_tells_nothing(manager: FakeManager, route: tuple[str, str]) -> None:
    """Style and the login: no name of a task, no title."""
    await manager.hold(task(0, TaskStatus.FAILED, task_id="one", func_name="secret_name"))
    app = guarded(manager, title="Secret title")
    async with local(app) as client:
        answer = await client.request(*route)
    assert "secret_name" not in answer.text
    assert "Secret title" not in answer.text


async def test_no_route_waits_for_a_thread_of_the_application(manager: FakeManager) -> None:
    app = FastAPI()
    TaskAdmin(app, manager)
    await manager.hold(task(1))
    threads = anyio.to_thread.current_default_thread_limiter()
    threads.total_tokens = 1
    threads.acquire_on_behalf_of_nowait(busy := object())  # a slow ``def`` route has the only one
    async with local(app) as client:
        for method, path in every_route(app):
            if "stream" in path:
                continue
            async with asyncio.timeout(30):
                await client.request(method, path)
    threads.release_on_behalf_of(busy)
