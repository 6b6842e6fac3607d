"""Every registered route, for everyone who might ask."""

import re
from typing import Annotated, NamedTuple

import httpx
import pytest
from clients import OPEN, every_route, local, sign_in
from fake_manager import FakeManager, task
from fastapi import APIRouter, FastAPI, Header, Request
from people import PASSWORDS, guarded

from fastapi_taskflow_admin import TaskAdmin, TaskUser, mounting
from fastapi_taskflow_admin.auth.admission import still_admitted
from fastapi_taskflow_admin.auth.permissions import granted
from fastapi_taskflow_admin.auth.rules import RULES
from fastapi_taskflow_core.records import TaskStatus

OPERATE = {
    ("POST", "/tasks/one/retry"),
    ("POST", "/tasks/one/cancel"),
    ("POST", "/tasks/bulk-retry"),
    ("POST", "/tasks/bulk-cancel"),
    ("POST", "/tasks/retry-failed"),
}
READ_BY_ADMINS = {("GET", "/tasks/audit"), ("GET", "/tasks/dashboard/audit")}
MAY = {"vera": {"view"}, "olaf": {"view", "operate"}, "ada": {"view", "operate", "admin"}}


@pytest.fixture
def app(manager: FakeManager) -> FastAPI:
    return guarded(manager)


def needed(route: tuple[str, str]) -> str:
    """What a route is to need, as the documentation says."""
    if route in OPERATE:
        return "operate"
    return "view" if route[0] == "GET" and route not in READ_BY_ADMINS else "admin"


async def cookie_for(app: FastAPI, name: str = "ada") -> str:
    """What the browser of somebody who is signed in sends."""
    async with local(app) as client:
        await sign_in(client, name, PASSWORDS[name])
        return "; ".join(f"{key}={value}" for key, value in client.cookies.items())


async def walk(app: FastAPI, cookie: str) -> dict[tuple[str, str], httpx.Response]:
    """Ask for everything that is guarded."""
    routes = [route for route in every_route(app) if route not in OPEN]
    async with local(app) as client:
        return {route: await client.request(*route, headers={"Cookie": cookie}) for route in routes}


def closed(answers: dict[tuple[str, str], httpx.Response]) -> bool:
    """Whether each answer is a 401, or leads to the login."""
    return len(answers) >= 20 and all(
        answer.status_code == 401
        or (
            answer.status_code == 303 and "/auth/login?next=dashboard" in answer.headers["Location"]
        )
        for answer in answers.values()
    )


def test_the_walk_meets_api_pages_and_what_is_open(app: FastAPI) -> None:
    routes = set(every_route(app))
    assert routes >= OPEN | OPERATE | READ_BY_ADMINS
    assert {("GET", "/tasks"), ("GET", "/tasks/dashboard"), ("DELETE", "/tasks/history")} <= routes


async def test_every_route_is_closed_without_a_session(app: FastAPI) -> None:
    assert closed(await walk(app, ""))


async def test_every_route_is_closed_for_a_forged_session(app: FastAPI) -> None:
    genuine = await cookie_for(app)
    assert closed(await walk(app, genuine[:-5] + "AAAAA"))


async def test_every_route_is_closed_when_the_session_is_over(
    app: FastAPI, manager: FakeManager
) -> None:
    cookie = await cookie_for(app)
    manager.clock.turn(days=1)
    assert closed(await walk(app, cookie))


async def test_every_route_is_closed_after_signing_out(app: FastAPI) -> None:
    cookie = await cookie_for(app)
    async with local(app) as client:
        await client.post("/tasks/auth/logout", headers={"Cookie": cookie})
    assert closed(await walk(app, cookie))


@pytest.mark.parametrize("name", MAY)
async def test_every_route_asks_for_the_permission_it_needs(
    app: FastAPI, manager: FakeManager, name: str
) -> None:
    await manager.hold(task(1, TaskStatus.FAILED, task_id="one"))
    manager.stopping = True  # or the stream would have no end
    answers = await walk(app, await cookie_for(app, name))
    refused = {route for route, answer in answers.items() if answer.status_code == 403}
    assert refused == {route for route in answers if needed(route) not in MAY[name]}
    assert not [route for route, answer in answers.items() if answer.status_code in {303, 401}]


async def test_a_refusal_names_who_and_what(app: FastAPI) -> None:
    cookie = {"Cookie": await cookie_for(app, "vera")}
    async with local(app) as client:
        answer = await client.delete("/tasks/history?value=1&unit=day", headers=cookie)
        page = await client.get("/tasks/dashboard/audit", headers=cookie)
    assert answer.json() == {"detail": "vera may not do this: it needs 'admin'"}
    assert "vera may not do this" in page.text
    assert page.status_code == 403


def test_every_rule_is_that_of_a_route(app: FastAPI) -> None:
    functions = {route.endpoint.__name__ for router in mounting.ROUTERS for route in router.routes}
    assert RULES.keys() <= functions


@pytest.mark.parametrize(
    ("grant", "permissions"),
    [
        ("view", {"view"}),
        ("operate", {"view", "operate"}),
        (["admin"], {"view", "operate", "admin"}),
        ({"view", "operate"}, {"view", "operate"}),
        (("operate", "view"), {"view", "operate"}),
        (frozenset(), set()),
    ],
)
def test_a_permission_brings_those_before_it(grant: object, permissions: set[str]) -> None:
    assert granted("permissions", grant) == permissions


async def test_arguments_are_shown_to_admins_only(manager: FakeManager) -> None:
    await manager.hold(task(1))
    app = guarded(manager, display_func_args=True)
    for name in MAY:
        headers = {"Cookie": await cookie_for(app, name)}
        async with local(app) as client:
            [listed] = (await client.get("/tasks", headers=headers)).json()
            one = (await client.get("/tasks/task-0001", headers=headers)).json()
            page = (await client.get("/tasks/dashboard/tasks/task-0001", headers=headers)).text
        for shown in (bool(listed["args"]), bool(one["args"]), "ann@example.org" in page):
            assert shown is (name == "ada")


def visitor(x_user: Annotated[str, Header()] = "") -> object:
    """A dependency of the application: who it is, as a name or with permissions."""
    return {"": None, "name": "ann", "viewer": TaskUser("vic", "view"), "other": {"id": 7}}[x_user]


@pytest.mark.parametrize(
    ("user", "status", "name"),
    [("", 200, ""), ("name", 200, "ann"), ("viewer", 403, "vic"), ("other", 200, "")],
)
async def test_a_dependency_may_say_who_it_let_in_and_what_they_may(
    manager: FakeManager, user: str, status: int, name: str
) -> None:
    app = FastAPI()
    TaskAdmin(app, manager, auth=visitor)
    async with local(app, "192.0.2.1", "tasks.example") as client:
        headers = {"X-User": user}
        page = await client.get("/tasks/dashboard/tasks", headers=headers)
        answer = await client.delete("/tasks/history?value=1&unit=day", headers=headers)
    assert (page.status_code, answer.status_code) == (200, status)
    shown = re.search(r'class="account"><span>(.*?)</span>', page.text)
    assert (shown and shown[1], "Sign out" in page.text) == (name or None, False)
    assert [entry.actor for entry in await manager.entries()] == [name]


@pytest.mark.parametrize("wrong", [{"name": 5}, {"permissions": "root"}, {"permissions": None}])
def test_a_user_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
        TaskUser(**wrong)  # type: ignore[arg-type]


class Looking(NamedTuple):
    app: FastAPI
    headers: dict[str, str]
    request: Request


@pytest.fixture
async def looking(manager: FakeManager, monkeypatch: pytest.MonkeyPatch) -> Looking:
    """Somebody who looks at a stream."""
    router, asked = APIRouter(), []

    @router.get("/some/open/stream")
    async def stream(request: Request) -> None:
        asked.append(request)

    monkeypatch.setattr(mounting, "ROUTERS", (*mounting.ROUTERS, router))
    app = guarded(manager)
    headers = {"Cookie": await cookie_for(app)}
    async with local(app) as client:
        await client.get("/tasks/some/open/stream", headers=headers)
    return Looking(app, headers, asked[0])


async def test_a_stream_goes_on_while_the_session_lasts(
    looking: Looking, manager: FakeManager
) -> None:
    assert await still_admitted(looking.request)
    manager.clock.turn(days=1)
    assert not await still_admitted(looking.request)


async def test_a_stream_learns_that_somebody_signed_out(looking: Looking) -> None:
    async with local(looking.app) as client:
        await client.post("/tasks/auth/logout", headers=looking.headers)
    assert not await still_admitted(looking.request)


async def test_a_stream_goes_on_while_the_storage_is_away(
    looking: Looking, manager: FakeManager
) -> None:
    manager.backend.away = True
    assert await still_admitted(looking.request)
