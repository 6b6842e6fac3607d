"""Users of the application: a `TaskAuthBackend` in its forms."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from clients import local, sign_in
from fake_manager import FakeManager
from people import guarded

from fastapi_taskflow_admin.auth.crowd import MOST_AT_ONCE

DELETE = "/tasks/history?value=1&unit=day"


class Plain:
    """Plain functions, all permissions."""

    def authenticate_user(self, username: str, password: str) -> bool:
        return (username, password) == ("ann", "right")


class Async:
    """Coroutines, and permissions that change."""

    def __init__(self) -> None:
        self.granted: object = {"view"}

    async def authenticate_user(self, username: str, password: str) -> bool:
        await asyncio.sleep(0)
        return (username, password) == ("ann", "right")

    async def permissions(self, username: str) -> object:
        assert username == "ann"
        return self.granted


class Returning(Plain):
    """A plain function that returns an awaitable, and permissions from a plain function."""

    def authenticate_user(self, username: str, password: str) -> object:
        return Async().authenticate_user(username, password)

    def permissions(self, username: str) -> str:
        return "view"


class Broken(Plain):
    """Its database is away."""

    def authenticate_user(self, username: str, password: str) -> bool:
        raise ConnectionError("no database")


@pytest.mark.parametrize(("users", "may_delete"), [(Plain, 200), (Async, 403), (Returning, 403)])
async def test_the_application_says_who_gets_in_and_what_they_may(
    manager: FakeManager, users: type, may_delete: int
) -> None:
    async with local(guarded(manager, auth=users())) as client:
        assert (await sign_in(client, "ann", "wrong")).status_code == 401
        assert (await sign_in(client, "ann", "right")).status_code == 303
        assert (await client.get("/tasks")).status_code == 200
        assert (await client.delete(DELETE)).status_code == may_delete


async def test_a_change_of_permissions_has_effect_at_once(manager: FakeManager) -> None:
    users = Async()
    async with local(guarded(manager, auth=users)) as client:
        await sign_in(client, "ann", "right")
        for granted, status in [("admin", 200), ({"operate"}, 403), (set(), 403)]:
            users.granted = granted
            assert (await client.delete(DELETE)).status_code == status
        assert (await client.get("/tasks")).status_code == 403


@pytest.mark.parametrize("granted", ["root", None, 5, {"view", 5}])
async def test_permissions_that_make_no_sense_open_nothing(
    manager: FakeManager, granted: object, caplog: pytest.LogCaptureFixture
) -> None:
    users = Async()
    async with local(guarded(manager, auth=users)) as client:
        await sign_in(client, "ann", "right")
        users.granted = granted
        assert (await client.get("/tasks")).status_code == 503
    assert "permissions('ann') must be" in caplog.text


async def test_users_that_cannot_be_asked_are_a_503_and_a_line_in_the_log(
    manager: FakeManager, caplog: pytest.LogCaptureFixture
) -> None:
    async with local(guarded(manager, auth=Broken())) as client:
        answer = await sign_in(client, "ann", "right")
    assert answer.status_code == 503
    assert "no database" not in answer.text
    assert "no database" in caplog.text


class Slow(Plain):
    """A plain function that takes as long as the test wants."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.answered = threading.Event()

    def authenticate_user(self, username: str, password: str) -> bool:
        self.asked.release()
        return self.answered.wait(30)


@pytest.fixture
def slow() -> Iterator[Slow]:
    users = Slow()
    yield users
    users.answered.set()


async def test_a_slow_plain_function_stops_nobody_else(manager: FakeManager, slow: Slow) -> None:
    async with local(guarded(manager, auth=slow)) as client:
        logins = [asyncio.create_task(sign_in(client, f"user {n}", "x")) for n in range(50)]
        await asyncio.to_thread(slow.asked.acquire, timeout=30)
        # Plain functions of the application itself still find a thread.
        assert await asyncio.wait_for(asyncio.to_thread(int, "7"), 30) == 7
        assert (await client.get("/tasks/auth/login")).status_code == 200
        slow.answered.set()
        statuses = [(await login).status_code for login in logins]
        assert (statuses.count(303), statuses.count(429)) == (MOST_AT_ONCE, 50 - MOST_AT_ONCE)
