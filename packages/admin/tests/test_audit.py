"""The audit trail: who did what."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from clients import local, sign_in
from fake_manager import NOON, FakeManager, task
from fastapi import FastAPI
from people import PASSWORDS, guarded

from fastapi_taskflow_admin import TaskAdmin
from fastapi_taskflow_admin.auth.trail import Trail
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.records import TaskStatus

DELETE = "/tasks/history?value=1&unit=day"


@pytest.fixture
def app(manager: FakeManager) -> FastAPI:
    return guarded(manager)


async def told(manager: FakeManager) -> list[tuple[str, str, str, str]]:
    """Who did what to what with which result, oldest first."""
    entries = reversed(await manager.entries())
    return [(each.actor, each.action, each.target, each.result) for each in entries]


async def test_signing_in_and_out_and_failing_to_is_entered(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await sign_in(client, "ada", "wrong")
    await sign_in(client, "ada", PASSWORDS["ada"])
    await client.post("/tasks/auth/logout")
    assert await told(manager) == [
        ("ada", "login", "", "refused"),
        ("ada", "login", "", "ok"),
        ("ada", "logout", "", "ok"),
    ]
    assert {(each.address, each.at) for each in await manager.entries()} == {("testclient", NOON)}


async def test_attempts_that_were_not_made_are_not_entered(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    for _ in range(20):
        await sign_in(client, "ada", "wrong")
    assert len(await manager.entries()) == 5


@pytest.mark.parametrize(
    ("method", "path", "body", "entry"),
    [
        ("POST", "/tasks/one/retry", None, ("retry", "one", "ok, task_id one-again")),
        ("POST", "/tasks/two/cancel", None, ("cancel", "two", "ok, task_id two")),
        ("POST", "/tasks/two/retry", None, ("retry", "two", "400: cannot retry task two: it is pending")),
        ("POST", "/tasks/gone/retry", None, ("retry", "gone", "404: no task 'gone'")),
        ("POST", "/tasks/bulk-retry", '{"task_ids":["one","x"]}',
         ("bulk-retry", '{"task_ids":["one","x"]}', "ok, dispatched 1, skipped 1")),
        ("POST", "/tasks/retry-failed?since=1h", None,
         ("retry-failed", "since=1h", "ok, dispatched 1, skipped 0")),
        ("DELETE", DELETE, None, ("delete-history", "value=1&unit=day", "ok, deleted 0")),
        ("PATCH", "/tasks/queues/mail", '{"concurrency": 5}',
         ("change-queue", 'mail {"concurrency": 5}', "ok")),
        ("POST", "/tasks/queues/mail/pause", None, ("pause-queue", "mail", "ok")),
        ("POST", "/tasks/queues/mail/resume", None, ("resume-queue", "mail", "ok")),
    ],
)  # fmt: skip
async def test_every_change_is_entered_once_with_what_came_of_it(
    client: httpx.AsyncClient,
    manager: FakeManager,
    method: str,
    path: str,
    body: str | None,
    entry: tuple[str, str, str],
) -> None:
    await manager.hold(task(1, TaskStatus.FAILED, task_id="one"))
    await manager.hold(task(1, TaskStatus.PENDING, task_id="two"))
    await sign_in(client, "ada", PASSWORDS["ada"])
    headers = {"Content-Type": "application/json"} if body else {}
    await client.request(method, path, content=body, headers=headers)
    assert (await told(manager))[1:] == [("ada", *entry)]


async def test_a_change_that_was_not_permitted_is_entered(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await sign_in(client, "vera", PASSWORDS["vera"])
    await client.post("/tasks/one/retry")
    result = "403: vera may not do this: it needs 'operate'"
    assert (await told(manager))[1:] == [("vera", "retry", "one", result)]


@pytest.mark.parametrize("path", ["/tasks/queues/mail", "/tasks/nothing"])
async def test_what_cannot_be_understood_or_is_nobodys_is_not_entered(
    client: httpx.AsyncClient, manager: FakeManager, path: str
) -> None:
    await client.post("/tasks/one/retry")
    await sign_in(client, "ada", PASSWORDS["ada"])
    assert (await client.patch(path, json={"concurrency": 0})).status_code in {405, 422}
    assert [entry.action for entry in await manager.entries()] == ["login"]


async def test_reading_is_not_entered(client: httpx.AsyncClient, manager: FakeManager) -> None:
    await sign_in(client, "ada", PASSWORDS["ada"])
    await client.get("/tasks")
    await client.get("/tasks/dashboard/tasks")
    assert len(await manager.entries()) == 1


async def test_without_auth_changes_are_entered_too(manager: FakeManager) -> None:
    app = FastAPI()
    TaskAdmin(app, manager)
    async with local(app) as client:
        await client.delete(DELETE)
    assert await told(manager) == [("", "delete-history", "value=1&unit=day", "ok, deleted 0")]


async def test_an_unexpected_error_is_entered(manager: FakeManager) -> None:
    app = guarded(manager)
    async with local(app) as client:
        await sign_in(client, "ada", PASSWORDS["ada"])
        manager.trouble = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            await client.post("/tasks/one/retry")
    assert (await told(manager))[-1] == ("ada", "retry", "one", "500: ZeroDivisionError")


async def test_nothing_is_done_while_nothing_can_be_entered(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await sign_in(client, "ada", PASSWORDS["ada"])
    manager.backend.away = True
    answer = await client.post("/tasks/queues/mail/pause")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert not manager.queue_stats()["mail"].paused


async def test_what_was_done_and_could_not_be_entered_comes_before_anything_else(
    manager: FakeManager, caplog: pytest.LogCaptureFixture
) -> None:
    trail = Trail(manager.audit, manager.clock.now)
    manager.backend.away = True
    await trail.note_done("ada", "10.0.0.1", "retry", "one", "ok")
    assert "action='retry', target='one'" in caplog.text
    with pytest.raises(BackendUnavailable):
        await trail.ready()
    manager.backend.away = False
    await trail.ready()
    await trail.ready()
    assert await told(manager) == [("ada", "retry", "one", "ok")]


async def test_entries_fit_every_backend(manager: FakeManager) -> None:
    trail = Trail(manager.audit, manager.clock.now)
    await trail.note("a\0b" + "x" * 500, "\ud800", "retry", "y" * 5_000, "ok")
    [entry] = await manager.entries()
    assert entry.actor == "a\\0b" + "x" * 196
    assert entry.address == "\\ud800"
    assert entry.target == "y" * 2_000 + "… (5,000 characters)"


async def fill(manager: FakeManager, number: int) -> None:
    trail = Trail(manager.audit, manager.clock.now)
    for count in range(number):
        await trail.note("ann" if count % 2 else "bob", "10.0.0.1", "retry", f"task {count}", "ok")


@pytest.fixture
async def admin(client: httpx.AsyncClient, manager: FakeManager) -> httpx.AsyncClient:
    """Somebody signed in who may see the trail, with seven entries and their own in it."""
    await fill(manager, 7)
    await sign_in(client, "ada", PASSWORDS["ada"])
    return client


async def test_the_trail_is_listed_newest_first_page_by_page(admin: httpx.AsyncClient) -> None:
    seen, url = [], "/tasks/audit?limit=3"
    while url:
        page = await admin.get(url)
        seen += [entry["target"] for entry in page.json()]
        url = page.links.get("next", {}).get("url", "")
    assert seen == ["", *(f"task {count}" for count in range(6, -1, -1))]


@pytest.mark.parametrize(
    ("query", "targets"),
    [
        ("actor=ann", ["task 5", "task 3", "task 1"]),
        ("actor=ann&limit=1", ["task 5"]),
        ("action=login", [""]),
        ("actor=ann&action=login", []),
        ("actor=&action=login", [""]),
    ],
)
async def test_the_trail_can_be_filtered(
    admin: httpx.AsyncClient, query: str, targets: list[str]
) -> None:
    listed = (await admin.get(f"/tasks/audit?{query}")).json()
    assert [entry["target"] for entry in listed] == targets


async def test_an_entry_has_all_that_is_known(admin: httpx.AsyncClient) -> None:
    [entry] = (await admin.get("/tasks/audit?action=login")).json()
    entry.pop("entry_id")
    assert entry == {
        "at": "2026-03-01T12:00:00Z",
        "actor": "ada",
        "address": "testclient",
        "action": "login",
        "target": "",
        "result": "ok",
    }


async def test_the_page_shows_filters_and_pages_the_trail(admin: httpx.AsyncClient) -> None:
    page = (await admin.get("/tasks/dashboard/audit?actor=bob&limit=2")).text
    assert re.findall(r">(task \d)<", page) == ["task 6", "task 4"]
    assert 'name="actor" value="bob"' in page
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    second = (await admin.get("/tasks/dashboard/audit" + older[1].replace("&amp;", "&"))).text
    assert re.findall(r">(task \d)<", second) == ["task 2", "task 0"]
    assert 'rel="first"' in second
    assert 'rel="next"' not in second
    assert parse_qs(urlsplit(older[1].replace("&amp;", "&")).query)["actor"] == ["bob"]


async def test_an_empty_page_says_why(admin: httpx.AsyncClient) -> None:
    page = (await admin.get("/tasks/dashboard/audit?actor=nobody")).text
    assert "Nobody did what these filters say." in page


async def test_stored_text_is_never_markup(admin: httpx.AsyncClient, manager: FakeManager) -> None:
    attack = "<img src=x onerror=alert(1)></script>'\""
    await Trail(manager.audit, manager.clock.now).note(*[attack] * 5)
    page = (await admin.get("/tasks/dashboard/audit")).text
    assert page.count("&lt;img src=x") == 5
    assert "<img" not in page


async def test_the_way_to_the_trail_is_for_those_who_may_go_it(client: httpx.AsyncClient) -> None:
    for name, shown in [("vera", False), ("olaf", False), ("ada", True)]:
        await sign_in(client, name, PASSWORDS[name])
        page = (await client.get("/tasks/dashboard")).text
        assert ('href="./dashboard/audit"' in page) is shown
