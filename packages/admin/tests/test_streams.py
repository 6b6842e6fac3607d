"""Open streams: how many there may be, and when they end."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from clients import local, sign_in
from fake_manager import FakeManager, task
from fastapi import FastAPI, HTTPException
from people import PASSWORDS, guarded

from fastapi_taskflow_admin import TaskAdmin
from fastapi_taskflow_admin.live import hub, stream
from fastapi_taskflow_core.engine.feed import Change
from fastapi_taskflow_core.records import TaskStatus


class Visit:
    """A browser that reads a stream until it goes away."""

    def __init__(self) -> None:
        self.status = 0
        self.said = b""
        self.over = asyncio.Event()
        self._goes = asyncio.Event()
        self._news = asyncio.Event()
        self._asked = False

    async def receive(self) -> dict[str, object]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._goes.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict) -> None:
        self.status = message.get("status", self.status)
        self.said += message.get("body", b"")
        self._news.set()

    async def until(self, word: bytes) -> None:
        while word not in self.said:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 30)

    def leave(self) -> None:
        self._goes.set()


@asynccontextmanager
async def looking(app: FastAPI, cookie: str = "", query: bytes = b"") -> AsyncIterator[Visit]:
    """Somebody who looks at the stream, from when the answer began."""
    headers = [(b"host", b"localhost"), (b"cookie", cookie.encode())]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET"}
    scope |= {"scheme": "http", "path": "/tasks/dashboard/stream", "query_string": query}
    scope |= {
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 9),
        "server": ("localhost", 80),
    }
    visit = Visit()
    serving = asyncio.create_task(app(scope, visit.receive, visit.send))
    serving.add_done_callback(lambda _: visit.over.set())
    try:
        await visit.until(b"}")
        yield visit
    finally:
        visit.leave()
        await asyncio.wait_for(serving, 30)


async def cookie_of(app: FastAPI, name: str) -> str:
    async with local(app) as client:
        await sign_in(client, name, PASSWORDS[name])
        return "; ".join(f"{key}={value}" for key, value in client.cookies.items())


async def refused(app: FastAPI, cookie: str = "") -> tuple[int, str]:
    """How a further stream is answered."""
    async with local(app, "127.0.0.1", "localhost") as client:
        answer = await client.get("/tasks/dashboard/stream", headers={"Cookie": cookie})
        return answer.status_code, answer.headers.get("Retry-After", "")


async def test_a_session_has_twenty_streams_and_others_have_theirs(manager: FakeManager) -> None:
    app = guarded(manager)
    ada, vera = await cookie_of(app, "ada"), await cookie_of(app, "vera")
    async with AsyncExitStack() as open_ones:
        for _ in range(hub.MOST_OF_ONE):
            visit = await open_ones.enter_async_context(looking(app, ada))
            assert visit.status == 200
        assert await refused(app, ada) == (503, "30")
        async with looking(app, vera) as other:
            assert other.status == 200
        visit.leave()
        await visit.over.wait()
        async with looking(app, ada) as another:
            assert another.status == 200


async def test_a_process_has_so_many_streams_and_no_more(
    manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MOST_CLIENTS", 30)
    app = FastAPI()
    TaskAdmin(app, manager)
    async with AsyncExitStack() as open_ones:
        storm = (open_ones.enter_async_context(looking(app)) for _ in range(40))
        statuses = [visit.status for visit in await asyncio.gather(*storm)]
        assert (statuses.count(200), statuses.count(503)) == (30, 10)
        assert await refused(app) == (503, "30")
    async with looking(app) as again:
        assert again.status == 200


async def test_a_stream_of_somebody_who_signed_out_ends(
    manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "IDLE", 0.01)
    monkeypatch.setattr(stream, "CHECKED_EVERY", 0.0)
    app = guarded(manager)
    cookie = await cookie_of(app, "ada")
    async with looking(app, cookie) as visit:
        await visit.until(b"quiet")
        assert not visit.over.is_set()
        async with local(app) as client:
            await client.post("/tasks/auth/logout", headers={"Cookie": cookie})
        await asyncio.wait_for(visit.over.wait(), 30)
    assert b'event: bye\ndata: {"reason":"signed out"' in visit.said


def test_who_signed_out_sees_nothing_after_a_minute() -> None:
    assert stream.CHECKED_EVERY + stream.IDLE <= 60


async def test_what_happens_between_a_page_and_its_stream_is_told(
    app: FastAPI, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BEAT", 0.01)
    async with looking(app), local(app) as client:
        page = (await client.get("/tasks/dashboard/tasks")).text
        [seen] = re.findall(r'data-seen="([^"]+)"', page)
        manager.feed.publish(Change(task(1, TaskStatus.RUNNING), TaskStatus.PENDING))
        await asyncio.sleep(0.05)
        async with looking(app, query=f"last={seen}".encode()) as late:
            await late.until(b"task-0001")
            assert b"reset" not in late.said


async def test_a_refresh_does_not_differ_by_where_the_stream_stands(app: FastAPI) -> None:
    async with local(app) as client:
        page = (await client.get("/tasks/dashboard/queues", headers={"Taskflow-Part": "x"})).text
    assert 'data-seen=""' in page


async def test_a_dependency_is_asked_again_now_and_then(
    manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    admits = [True]

    def member() -> None:
        if not admits[0]:
            raise HTTPException(403, "not any more")

    monkeypatch.setattr(stream, "IDLE", 0.01)
    app = FastAPI()
    TaskAdmin(app, manager, auth=member)
    async with looking(app) as visit:
        await visit.until(b"quiet")
        admits[0] = False
        monkeypatch.setattr(stream, "RENEWED_EVERY", 0.0)
        await asyncio.wait_for(visit.over.wait(), 30)
    assert b'event: bye\ndata: {"reason":"renew"' in visit.said
    assert (await refused(app))[0] == 403
