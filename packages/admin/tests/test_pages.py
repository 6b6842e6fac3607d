import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from clients import local
from fake_manager import NOON, UP, FakeManager, task
from fastapi import FastAPI

from fastapi_taskflow_admin import TaskAdmin, shared
from fastapi_taskflow_admin.pages import templating
from fastapi_taskflow_admin.pages.documentation import documentation
from fastapi_taskflow_core.health import Health
from fastapi_taskflow_core.records import LogEntry, Progress, TaskStatus

ATTACK = "<img src=x onerror=alert(1)></script><script>alert(1)</script>'\""


async def test_the_first_visit_says_how_to_add_a_task(client: httpx.AsyncClient) -> None:
    page = (await client.get("/tasks/dashboard/tasks")).text
    assert "No tasks yet" in page
    assert "No task matches" not in page


async def test_a_filter_that_matches_nothing_can_be_cleared(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(1))
    page = (await client.get("/tasks/dashboard/tasks?q=nothing")).text
    assert "No task matches" in page
    assert "Clear filters" in page
    assert 'value="nothing"' in page


async def test_the_list_shows_tasks_with_icon_and_word(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(1), task(2, TaskStatus.FAILED, error="boom\nsecond line"))
    page = (await client.get("/tasks/dashboard/tasks")).text
    assert page.count('<tr id="task-') == 2
    assert '<span class="badge failed">failed</span>' in page
    assert "<td>boom" in page
    assert "second line" not in page


@pytest.mark.parametrize(("retries", "word"), [(0, "scheduled"), (2, "retrying")])
async def test_a_task_that_waits_for_its_time_says_for_what(
    client: httpx.AsyncClient, manager: FakeManager, retries: int, word: str
) -> None:
    later = NOON.replace(hour=14)
    await manager.hold(task(1, TaskStatus.PENDING, run_at=later, retries_used=retries))
    page = (await client.get("/tasks/dashboard/tasks")).text
    assert f'class="badge {word}"' in page
    assert "2026-03-01T14:00:00Z" in page


async def test_status_tabs_filter_and_keep_the_other_filters(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(1), task(2, TaskStatus.FAILED))
    page = (await client.get("/tasks/dashboard/tasks?func_name=send&status=failed")).text
    assert page.count('<tr id="task-') == 1
    assert 'href="?func_name=send&amp;status=running"' in page
    assert re.search(r'id="tab-failed"[^>]*aria-current="page"', page)


async def test_older_and_newer_lead_through_the_list(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(*(task(number) for number in range(5)))
    first = (await client.get("/tasks/dashboard/tasks?limit=3")).text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = (await client.get("/tasks/dashboard/tasks" + older[1].replace("&amp;", "&"))).text
    assert re.findall(r'<tr id="task-([\w-]+)"', second) == ["task-0003", "task-0004"]
    assert 'rel="prev"' in second


async def test_the_fragment_is_the_board_of_the_page_and_304_while_nothing_changes(
    client: httpx.AsyncClient, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "KEPT", 0)
    await manager.hold(task(1))
    page = (await client.get("/tasks/dashboard/tasks")).text
    fragment = await client.get("/tasks/dashboard/rows")
    assert fragment.text.strip() in page
    known = {"If-None-Match": fragment.headers["ETag"]}
    assert (await client.get("/tasks/dashboard/rows", headers=known)).status_code == 304
    await manager.hold(task(0))
    assert (await client.get("/tasks/dashboard/rows", headers=known)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/tasks",
        "/tasks/task-0001",
        "/failures",
        "/functions",
        "/functions/send",
        "/queues",
        "/schedules",
        "/instances",
    ],
)
async def test_trouble_with_the_storage_is_told_on_every_page(
    client: httpx.AsyncClient, manager: FakeManager, path: str
) -> None:
    await manager.hold(task(1))
    manager.state = Health("down", 9.0, 1_234, 5, "no route", NOON)
    page = (await client.get(f"/tasks/dashboard{path}")).text
    assert "The task storage is down since 2026-03-01 12:00:00 UTC: no route." in page
    assert "1\u202f234 changes wait" in page


async def test_a_task_page_shows_error_attempts_and_logs(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(1, TaskStatus.FAILED, error="boom", stacktrace="File x", retry_of="a"))
    await manager.log("task-0001", LogEntry(1, NOON, 0, "warning", "hello", {"size": 3}))
    page = (await client.get("/tasks/dashboard/tasks/task-0001")).text
    for shown in ("boom", "File x", "hello", "size=3", 'href="a"', 'data-action="retry"'):
        assert shown in page


async def test_the_whole_log_can_be_taken_along(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(1))
    entries = [LogEntry(n, NOON, 0, "info", f"line {n}", None) for n in range(1, 2_501)]
    await manager.log("task-0001", *entries, LogEntry(2_501, NOON, 1, "error", "ü", {"size": 3}))
    address = httpx.URL("http://testserver/tasks/dashboard/tasks/task-0001")
    link = re.search(r'href="([^"]+)" download="task-0001.log"', (await client.get(address)).text)
    assert link is not None
    answer = await client.get(address.join(link[1]))
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert len(lines) == 2_501
    assert lines[1_499] == "2026-03-01T12:00:00.000+00:00 attempt 1 info line 1500"
    assert lines[-1].endswith("attempt 2 error ü size=3")
    assert (await client.get("/tasks/dashboard/tasks/gone/log")).status_code == 404


@pytest.mark.parametrize(("display", "shown"), [(True, True), (False, False)])
async def test_arguments_are_shown_only_where_the_application_says_so(
    manager: FakeManager, display: bool, shown: bool
) -> None:
    app = FastAPI()
    TaskAdmin(app, manager, display_func_args=display)
    await manager.hold(task(1))
    async with local(app) as client:
        for path in ("/tasks", "/tasks/task-0001", "/tasks/dashboard/tasks/task-0001"):
            assert ("ann@example.org" in (await client.get(path)).text) is shown


async def test_stored_text_is_never_markup(manager: FakeManager) -> None:
    app = FastAPI()
    TaskAdmin(app, manager, title=ATTACK, display_func_args=True)
    attacked = task(
        1,
        TaskStatus.FAILED,
        task_id="<img src=x onerror=alert(1)>",
        func_name=ATTACK,
        error=ATTACK,
        stacktrace=ATTACK,
        queue=ATTACK,
        tags={ATTACK: ATTACK},
        idempotency_key=ATTACK,
        result=ATTACK,
        retry_of="original",
    )
    running = task(2, TaskStatus.RUNNING, progress=Progress(1, None, ATTACK))
    await manager.hold(attacked, running)
    await manager.log(attacked.task_id, LogEntry(1, NOON, 0, "info", ATTACK, {"a": ATTACK}))
    manager.state = replace(UP, state="down", last_error=ATTACK)
    async with local(app) as client:
        paths = ["/tasks", "/rows", "/tasks/task-0002", f"/tasks/{quote(attacked.task_id)}"]
        pages = [(await client.get(f"/tasks/dashboard{path}")).text for path in paths]
        search = await client.get("/tasks/dashboard/tasks", params={"q": ATTACK, "since": "6h"})
    for page in [*pages, search.text]:
        assert "<img" not in page
        assert "alert(1)</script>" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in pages[0]


async def test_pages_have_no_inline_script_style_or_handler(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(1, TaskStatus.FAILED, error="boom"))
    for path in ("", "/tasks", "/tasks?q=nothing", "/tasks/task-0001", "/tasks/gone"):
        page = (await client.get(f"/tasks/dashboard{path}")).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
        assert not any(re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL))


@pytest.mark.parametrize("page", ["", "/tasks", "/tasks/task-0001", "/tasks/gone"])
async def test_every_asset_of_a_page_is_served_forever_under_its_hash(
    client: httpx.AsyncClient, manager: FakeManager, page: str
) -> None:
    await manager.hold(task(1))
    address = httpx.URL(f"http://testserver/tasks/dashboard{page}")
    html = (await client.get(address)).text
    links = set(re.findall(r'(?:href|src)="([^"#?]*assets/[^"#]+)', html))
    assert len(links) >= 3
    for link in links:
        response = await client.get(address.join(link))
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["other/css/base.css", "{digest}/nothing.css", "{digest}/%2E%2E/admin.py"]
)
async def test_other_assets_do_not_exist(client: httpx.AsyncClient, path: str) -> None:
    found = re.search(r"assets/(\w+)/", (await client.get("/tasks/dashboard/tasks")).text)
    assert found is not None
    response = await client.get(f"/tasks/dashboard/assets/{path.format(digest=found[1])}")
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=yesterday", "<p>since: must be an ISO 8601 time"),
        ("status=broken", "<p>status: Input should be"),
    ],
)
async def test_an_unreadable_filter_is_explained_in_html(
    client: httpx.AsyncClient, query: str, words: str
) -> None:
    response = await client.get(f"/tasks/dashboard/tasks?{query}")
    assert response.status_code == 422
    assert "This filter cannot be read" in response.text
    assert words in response.text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", 3),
        ("status=failed", 1),
        ("status=failed&status=pending", 2),
        ("q=status:failed&status=", None),
        ("q=status:failed", 1),
        ("limit=9&limit=1", 1),
        ("limit=0", None),
        ("since=yesterday", None),
        ("cursor=x", None),
        ("source=&since=&unknown=1", 3),
    ],
)
async def test_the_part_that_is_refreshed_reads_an_address_as_the_page_does(
    client: httpx.AsyncClient, manager: FakeManager, query: str, shown: int | None
) -> None:
    await manager.hold(task(1), task(2, TaskStatus.FAILED), task(3, TaskStatus.PENDING))
    for path in ("tasks", "rows"):
        answer = await client.get(f"/tasks/dashboard/{path}?{query}")
        assert answer.status_code == (422 if shown is None else 200)
        assert answer.text.count('<tr id="task-') == (shown or 0)


async def test_a_dashboard_works_under_any_mount(manager: FakeManager) -> None:
    inner, outer = FastAPI(), FastAPI()
    TaskAdmin(inner, manager, path="/admin/jobs/")
    outer.mount("/api/v1", inner)
    await manager.hold(task(1))
    address = httpx.URL("http://testserver/api/v1/admin/jobs/dashboard")
    async with local(outer) as client:
        html = (await client.get(address)).text
        for link in re.findall(r'href="([^"?#:]+)"', html):
            assert (await client.get(address.join(link))).status_code == 200


@pytest.mark.parametrize(
    ("place", "meant"),
    [
        ("/", ""),
        ("/tasks/", "/tasks"),
        ("/tasks/?status=failed", "/tasks?status=failed"),
        ("/tasks/task-0001/", "/tasks/task-0001"),
        ("/functions/", "/functions"),
        ("/functions/%20", "/functions"),
        ("/functions/?range=1h", "/functions?range=1h"),
        ("/queues/", "/queues"),
        ("/audit/", "/audit"),
    ],
)
async def test_a_slash_too_many_leads_to_the_page_that_was_meant_behind_any_proxy(
    client: httpx.AsyncClient, manager: FakeManager, place: str, meant: str
) -> None:
    await manager.hold(task(1))
    answer = await client.get(f"/tasks/dashboard{place}")
    assert answer.status_code == 307
    assert answer.headers["Location"].startswith("..")
    led = answer.url.join(answer.headers["Location"])
    assert str(led) == f"http://testserver/tasks/dashboard{meant}"
    assert (await client.get(led)).status_code == 200


@pytest.mark.parametrize("place", ["/nothing", "/queues/mail", "/tasks/task-0001/more"])
async def test_an_address_that_is_no_page_is_a_page_that_says_so(
    client: httpx.AsyncClient, manager: FakeManager, place: str
) -> None:
    await manager.hold(task(1))
    answer = await client.get(f"/tasks/dashboard{place}")
    assert answer.status_code == 404
    assert '<h1 tabindex="-1">No such page</h1>' in answer.text
    assert "history" not in answer.text
    [asset] = set(re.findall(r'href="([^"]+style.css)"', answer.text))
    assert (await client.get(answer.url.join(asset))).status_code == 200


async def test_who_has_no_task_yet_is_told_where_to_read_on(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address, words in [
        (None, "The README of fastapi-taskflow"),
        ("https://docs.example/", '<a href="https://docs.example/"'),
    ]:
        monkeypatch.setitem(templating.environment.globals, "documentation", address)
        for path in ("", "/tasks"):
            assert words in (await client.get(f"/tasks/dashboard{path}")).text


@pytest.mark.parametrize(
    ("links", "found"),
    [
        ([], None),
        (["Homepage, https://example.org"], None),
        (["Homepage, https://example.org", "Documentation, https://docs.example"], "docs.example"),
        (["Documentation, javascript:alert(1)"], None),
    ],
)
def test_the_address_of_the_documentation_is_what_the_distribution_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: list[str], found: str | None
) -> None:
    folder = tmp_path / "thing-1.dist-info"
    folder.mkdir()
    told = "".join(f"Project-URL: {each}\n" for each in links)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: thing\nVersion: 1\n{told}")
    monkeypatch.syspath_prepend(tmp_path)
    assert documentation("thing") == (found and f"https://{found}")
    assert documentation("nothing-of-this-name") is None
