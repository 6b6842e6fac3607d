from typing import Annotated

import httpx
import pytest
from clients import OPEN, every_route, local
from fake_manager import FakeManager, task
from fastapi import FastAPI, Header, HTTPException

from fastapi_taskflow_admin import TaskAdmin
from fastapi_taskflow_core.records import TaskStatus

LOCAL = [
    ("testclient", "testserver"),
    ("127.0.0.1", "127.0.0.1:8000"),
    ("127.0.0.1", "localhost:8000"),
    ("127.0.0.1", "LOCALHOST"),
    ("127.3.2.1", "localhost"),
    ("::1", "[::1]:8000"),
    ("::ffff:127.0.0.1", "localhost"),
]
FOREIGN = [
    ("192.168.1.9", "localhost"),
    ("::ffff:192.168.1.9", "localhost"),
    ("127.0.0.1", "rebound.example"),
    ("127.0.0.1", "localhost.example"),
    ("127.0.0.1", "192.168.1.2"),
    ("127.0.0.1", "testserver"),
    ("testclient", "tasks.example"),
    ("", "localhost"),
]


@pytest.mark.parametrize(("peer", "host"), LOCAL)
async def test_without_auth_the_same_machine_is_answered(
    app: FastAPI, peer: str, host: str
) -> None:
    async with local(app, peer, host) as client:
        assert (await client.get("/tasks")).status_code == 200


@pytest.mark.parametrize(("peer", "host"), FOREIGN)
async def test_without_auth_nobody_else_is_answered(app: FastAPI, peer: str, host: str) -> None:
    async with local(app, peer, host) as client:
        response = await client.get("/tasks")
    assert response.status_code == 403
    assert "auth=" in response.json()["detail"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_without_auth_a_proxy_on_this_machine_opens_nothing(
    client: httpx.AsyncClient, header: str
) -> None:
    response = await client.get("/tasks", headers={header: "203.0.113.7"})
    assert response.status_code == 403


async def test_the_dashboard_says_in_html_why_it_is_closed(app: FastAPI) -> None:
    async with local(app, "192.168.1.9", "tasks.example") as client:
        response = await client.get("/tasks/dashboard")
    assert response.status_code == 403
    assert response.headers["Content-Type"].startswith("text/html")
    assert "auth=False" in response.text


async def test_no_route_is_open_to_another_machine(app: FastAPI, manager: FakeManager) -> None:
    await manager.hold(task(0, TaskStatus.FAILED, task_id="one"))
    routes = every_route(app)
    assert len(routes) >= 20
    async with local(app, "192.168.1.9", "tasks.example") as client:
        answers = {route: (await client.request(*route)).status_code for route in routes}
    assert {route: status for route, status in answers.items() if status != 403} == {}


async def test_no_route_is_open_to_someone_the_dependency_refuses(manager: FakeManager) -> None:
    def member(token: Annotated[str, Header()] = "") -> None:
        if token != "right":
            raise HTTPException(401, "who are you?", headers={"WWW-Authenticate": "Bearer"})

    app = FastAPI()
    TaskAdmin(app, manager, auth=member)
    async with local(app, "192.168.1.9", "tasks.example") as client:
        answers = {
            route: await client.request(*route) for route in every_route(app) if route not in OPEN
        }
        welcome = await client.get("/tasks", headers={"token": "right"})
    assert {answer.status_code for answer in answers.values()} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers.values()} == {"Bearer"}
    assert welcome.status_code == 200


async def test_a_request_that_lacks_a_required_credential_learns_nothing(
    manager: FakeManager,
) -> None:
    def member(token: Annotated[str, Header()]) -> None:
        assert token

    app = FastAPI()
    TaskAdmin(app, manager, auth=member)
    await manager.hold(task(0, TaskStatus.FAILED))
    async with local(app) as client:
        answers = [
            await client.request(*route, json={"filter": {}, "expected": 7})
            for route in every_route(app)
            if route not in OPEN
        ]
    assert {answer.status_code for answer in answers} == {422}


async def test_auth_false_answers_everyone(manager: FakeManager) -> None:
    app = FastAPI()
    TaskAdmin(app, manager, auth=False)
    async with local(app, "192.168.1.9", "tasks.example") as client:
        assert (await client.get("/tasks")).status_code == 200


@pytest.mark.parametrize("auth", [None, False])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
    ],
)
async def test_a_change_asked_for_by_another_site_is_refused(
    manager: FakeManager, auth: bool | None, headers: dict[str, str], status: int
) -> None:
    app = FastAPI()
    TaskAdmin(app, manager, auth=auth)
    async with local(app) as client:
        response = await client.delete("/tasks/history?value=1&unit=day", headers=headers)
    assert response.status_code == status
    if status == 403:
        assert response.json() == {"detail": "cross_site_request"}


async def test_reading_is_allowed_from_a_link_on_another_site(client: httpx.AsyncClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (await client.get("/tasks/dashboard", headers=headers)).status_code == 200
