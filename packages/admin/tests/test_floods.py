"""Many logins at once: the process goes on, and whoever is known still comes in."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

import pytest
from clients import local
from fake_manager import FakeManager
from fastapi import FastAPI
from people import PASSWORDS, guarded
from starlette.types import Message, Scope

from fastapi_taskflow_admin import hash_password
from fastapi_taskflow_admin.auth.crowd import MOST_AT_ONCE
from fastapi_taskflow_admin.auth.passwords import Cost
from fastapi_taskflow_admin.auth.throttle import IN_ALL

FLOOD = 10_000
HOME = "192.0.2.1"
CHEAP = Cost(16, 1, 1)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    retry_after: int


async def post(app: FastAPI, username: str, password: str, address: str) -> Answer:
    """Send the login's form, without a client: ten thousand of those would take a minute."""
    form = urlencode({"username": username, "password": password}).encode()
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": form, "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/tasks/auth/login",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"testserver"),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
        "client": (address, 50_000),
        "server": ("testserver", 80),
    }
    await app(scope, receive, send)
    headers = dict(said[0]["headers"])
    return Answer(said[0]["status"], int(headers.get(b"retry-after", 0)))


async def test_of_ten_thousand_logins_a_hundred_are_tried_and_who_is_known_comes_in(
    manager: FakeManager,
) -> None:
    app = guarded(manager)
    assert (await post(app, "ada", PASSWORDS["ada"], HOME)).status == 303
    *answers, stranger, known = await asyncio.gather(
        *(post(app, f"user {n % 3_000}", "wrong", f"10.0.{n % 7}.{n % 251}") for n in range(FLOOD)),
        post(app, "vera", PASSWORDS["vera"], "10.0.0.1"),
        post(app, "ada", PASSWORDS["ada"], HOME),
    )
    assert Counter(each.status for each in answers) == {401: IN_ALL, 429: FLOOD - IN_ALL}
    assert (stranger, known) == (Answer(429, 60), Answer(303, 0))
    assert {each.retry_after for each in answers if each.status == 429} == {60}
    assert len(await manager.backend.settings("admin:login:")) == IN_ALL
    assert len([each for each in await manager.entries() if each.result == "refused"]) == IN_ALL
    manager.clock.turn(minutes=1)
    assert (await post(app, "vera", PASSWORDS["vera"], "10.0.0.1")).status == 303


class Held:
    """Hashing that takes until it is let go."""

    def __init__(self) -> None:
        self.began, self.go = threading.Event(), threading.Event()
        self.at_once = self.most = self.made = 0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            self.made += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.began.set()
        assert self.go.wait(30)
        with self._lock:
            self.at_once -= 1


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    made, digest = Held(), Cost.digest

    def held_digest(cost: Cost, password: str, salt: bytes) -> bytes:
        made.wait()
        return digest(cost, password, salt)

    monkeypatch.setattr(Cost, "digest", held_digest)
    yield made
    made.go.set()


async def test_while_passwords_are_hashed_all_else_is_answered_and_few_wait_for_it(
    manager: FakeManager, held: Held
) -> None:
    held.go.set()
    kept = hash_password("right", CHEAP)
    app = guarded(manager, auth=[("ann", kept), ("bob", kept)])
    assert (await post(app, "ann", "right", HOME)).status == 303
    held.go.clear()
    held.began.clear()
    before = held.made
    flood = [asyncio.create_task(post(app, f"user {n}", "x", "10.0.0.1")) for n in range(1_000)]
    await asyncio.to_thread(held.began.wait, 30)
    known = asyncio.create_task(post(app, "ann", "right", HOME))
    async with local(app) as client:
        assert (await client.get("/openapi.json")).status_code == 200
        assert (await client.get("/tasks")).status_code == 401
    ends = asyncio.as_completed(flood, timeout=30)
    turned_away = [await end for end in islice(ends, len(flood) - MOST_AT_ONCE)]
    turned_away += [await post(app, "bob", "right", HOME) for _ in range(10)]
    assert set(turned_away) == {Answer(429, 5)}
    held.go.set()
    assert (await known).status == 303
    assert [(await end).status for end in ends] == [401] * MOST_AT_ONCE
    assert (await post(app, "bob", "right", HOME)).status == 303  # unheard is not failed
    assert (held.made - before, held.most) == (MOST_AT_ONCE + 2, 1)
