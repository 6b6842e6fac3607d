"""What the pages of queues, schedules, functions and one task say, worked out from records."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from clients import local
from fake_manager import NOON, FakeManager, FakeSchedules, task
from fastapi import FastAPI

from fastapi_taskflow_admin import TaskAdmin
from fastapi_taskflow_admin.pages.functions import function_row, told
from fastapi_taskflow_admin.pages.progress import progress, time_left
from fastapi_taskflow_admin.pages.queues import queue_row
from fastapi_taskflow_admin.pages.schedules import schedule_row
from fastapi_taskflow_admin.pages.task import tries
from fastapi_taskflow_core.backends.scheduling import Later, Slot, SlotOutcome
from fastapi_taskflow_core.engine.queues import QueueStats
from fastapi_taskflow_core.options import TaskOptions
from fastapi_taskflow_core.records import LogEntry, Progress, TaskStatus
from fastapi_taskflow_core.retry import RetryPolicy


def test_a_queue_says_how_full_it_is() -> None:
    row = queue_row(QueueStats("mail", 4, 1200, False, 3, 1200, 2, NOON))
    assert (row.running, row.waiting, row.full) == ("3 of 4", "1\u202f200 of 1\u202f200", True)
    assert (row.rate, row.wait, row.line) == ("—", "—", "")
    free = queue_row(QueueStats("mail", None, None, False, 3, 7, 0))
    assert (free.running, free.waiting, free.full) == ("3", "7", False)


async def test_a_queue_says_what_it_did_lately(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(*(task(n, queue="mail") for n in range(1, 4)))
    page = (await client.get("/tasks/dashboard/queues")).text
    row = page[page.index('id="queue-mail"') :]
    assert "0.2 a minute" in row
    assert "0 of 9" in row


def test_a_schedule_shows_what_became_of_its_runs() -> None:
    slots = [
        Slot("report", NOON - timedelta(hours=n), outcome, f"task-{n:04}" if n < 2 else None)
        for n, outcome in enumerate(
            [SlotOutcome.FIRED, SlotOutcome.FIRED, SlotOutcome.MISFIRED, SlotOutcome.SKIPPED]
        )
    ]
    info = replace(FakeSchedules().report, last=slots)
    row = schedule_row(info, {"task-0000": task(0, TaskStatus.FAILED)})
    assert [tick.kind for tick in row.ticks] == ["skipped", "misfired", "fired", "failed"]
    assert row.ticks[-1].words == "failed after 1.0 s"
    assert (row.took, row.last, row.missed) == ("1.0 s", "task-0000", 1)


async def test_calls_at_a_time_to_come_are_listed_with_their_schedule(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    soon = NOON + timedelta(hours=3)
    waiting = [task(n, TaskStatus.PENDING, run_at=soon) for n in range(120)]
    manager.plan.waiting = [Later(f"key-{it.task_id}", it) for it in waiting]
    address, seen = httpx.URL("http://testserver/tasks/dashboard/schedules"), []
    for number in (50, 50, 20):
        page = (await client.get(address)).text
        seen += re.findall(r'id="later-([^"]+)"', page)
        assert page.count('id="later-') == number
        assert "every hour" in page
        link = re.search(r'rel="next" href="([^"#]+)', page)
        address = address.join(link[1]) if link else address
    assert seen == [it.task_id for it in waiting]
    assert link is None
    manager.plan.waiting.clear()
    page = (await client.get(address)).text
    assert "None is further ahead any more." in page
    assert 'rel="first" href="?#later"' in page


async def test_a_place_among_calls_to_come_that_nobody_handed_out_is_refused(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/tasks/dashboard/schedules?after=x")
    assert answer.status_code == 422
    assert "after: is not a cursor" in answer.text


def test_a_function_is_told_by_its_options() -> None:
    retry = RetryPolicy(retries=4, delay=1, backoff=2)
    options = TaskOptions(retry=retry, queue="mail", timeout=90, persist=True)
    assert ", ".join(told(options)) == (
        "4 retries after 1.0 s, 2.0 s, 4.0 s …, queue mail, at most 1 min 30 s, survives restarts"
    )
    assert told(TaskOptions(retry=RetryPolicy(retries=1))) == ["1 retry"]
    assert told(None) == ["not known to this process"]
    assert function_row("send", None, None).success == "—"


@pytest.mark.parametrize("name", ["send", "a/b c?d"])
async def test_a_function_has_a_page_of_its_own(
    client: httpx.AsyncClient, manager: FakeManager, name: str
) -> None:
    await manager.hold(
        task(1, func_name=name), task(2, TaskStatus.FAILED, error="ValueError: 7", func_name=name)
    )
    address = httpx.URL("http://testserver/tasks/dashboard/functions")
    listed = (await client.get(address)).text
    link = re.search(r'href="([^"]*functions/[^"]+)"', listed)
    assert link is not None
    address = address.join(link[1])
    page = (await client.get(address)).text
    assert f"<h1>{name}</h1>" in page
    assert "ValueError: 7" in page
    assert page.count('id="latest-') == 2
    assert '<time datetime="2026-03-01T11:58:00Z" data-live>' in listed
    for other in re.findall(r'href="([^"#:]+)"', page):
        assert (await client.get(address.join(other.replace("&amp;", "&")))).status_code == 200


async def test_a_function_that_nobody_knows_says_so(client: httpx.AsyncClient) -> None:
    assert "It has not run" in (await client.get("/tasks/dashboard/functions/nobody")).text


@pytest.mark.parametrize(
    ("done", "total", "ran", "words"),
    [
        (25, 100, 60, "about 3 min left"),
        (50, 100, 20, "about 20 s left"),
        (0, 100, 60, ""),
        (100, 100, 60, "about 1 s left"),
        (130, 100, 60, ""),
        (5, None, 60, ""),
        (5, 100, 0.5, ""),
    ],
)
def test_the_time_left_follows_from_the_time_it_took(
    done: float, total: float | None, ran: float, words: str
) -> None:
    running = task(0, TaskStatus.RUNNING, progress=Progress(done, total))
    assert time_left(running, NOON + timedelta(seconds=ran)) == words


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Progress(1_250_000, 20_000_000), "1\u202f250\u202f000 of 20\u202f000\u202f000"),
        (Progress(0.5, 1, "loading"), "0.5 of 1 loading"),
        (Progress(1_234.5678), "1\u202f234.568"),
    ],
)
def test_large_numbers_of_progress_are_written_out(told: Progress, words: str) -> None:
    assert progress(task(0, TaskStatus.RUNNING, progress=told)) == words


@pytest.mark.parametrize(
    ("status", "retries", "words"),
    [
        (TaskStatus.FAILED, 3, "1 of 4"),
        (TaskStatus.RUNNING, 3, "1 of 4"),
        (TaskStatus.SUCCESS, 3, "1"),
        (TaskStatus.FAILED, None, "1"),
    ],
)
def test_attempts_are_counted_out_of_those_there_may_be(
    status: TaskStatus, retries: int | None, words: str
) -> None:
    assert tries(task(1, status), retries) == words


async def test_what_is_very_long_is_folded(
    manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "x" * 5_000
    arguments = {"a": "1", "b": long}
    monkeypatch.setattr(manager, "arguments", lambda record: arguments)
    failed = task(1, TaskStatus.FAILED, error="e" * 500 + long, stacktrace="")
    await manager.hold(failed)
    said = [LogEntry(n, NOON, 0, "info", words) for n, words in enumerate((long, "short"), 1)]
    await manager.log(failed.task_id, *said)
    app = FastAPI()
    TaskAdmin(app, manager, display_func_args=True)
    async with local(app) as client:
        page = (await client.get(f"/tasks/dashboard/tasks/{failed.task_id}")).text
    assert f'<h2 class="mono">{"e" * 500}</h2><details' in page
    folded = re.findall(r"<summary>([^<]+) more characters</summary>(x+)</details>", page)
    assert [(number, len(rest)) for number, rest in folded] == [
        ("5\u202f000", 5_000),
        ("904", 904),
        ("904", 904),
    ]
    assert "<dd>1</dd>" in page


async def test_the_overview_of_any_time_says_which(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(90))
    query = "since=2026-03-01T10:00:00Z&until=2026-03-01T11:00:00Z"
    page = (await client.get(f"/tasks/dashboard?{query}")).text
    assert "1 Mar 10:00 to 1 Mar 11:00 UTC" in page
    assert page.count("<tr><td>") == 60
    assert "1 ended, bars of 1 min" in page


async def test_without_failures_the_last_one_is_named(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(3 * 24 * 60, TaskStatus.FAILED))
    page = (await client.get("/tasks/dashboard/failures?since=24h")).text
    assert "No failures in the last 24 hours" in page
    assert "tasks/task-4320" in page


async def test_columns_are_sent_to_those_who_want_them(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(1, owner="web-1"))
    wanted = {"Taskflow-Columns": "instance,nothing"}
    rows = (await client.get("/tasks/dashboard/rows", headers=wanted)).text
    assert '<th scope="col">Instance</th>' in rows
    assert "<td>web-1" in rows
    assert "web-1" not in (await client.get("/tasks/dashboard/rows")).text


async def test_a_task_of_many_tags_is_one_row_among_others(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    tags = {f"tag-{number}": "value " * 80 for number in range(32)}
    told = Progress(1, 2, "far " * 100)
    await manager.hold(task(1, TaskStatus.RUNNING, tags=tags, progress=told))
    rows = (await client.get("/tasks/dashboard/rows")).text
    assert rows.count("<span class=tag>") == 3
    assert ">+29<" in rows
    assert len(rows) < 4_000
    page = (await client.get("/tasks/dashboard/tasks/task-0001")).text
    assert page.count('<a class="tag"') == 32
    assert "far " * 100 in page


async def test_fifty_rows_are_small(client: httpx.AsyncClient, manager: FakeManager) -> None:
    for number in range(50):
        record = task(number, TaskStatus.FAILED, error=f"ValueError: order {number} is refused")
        await manager.hold(replace(record, task_id=f"01a2154b-60d2-74fb-974e-{number:012}"))
    assert len((await client.get("/tasks/dashboard/rows")).content) < 25_000


@pytest.mark.parametrize(
    ("query", "counted"),
    [("", "3"), ("?func_name=pay", "1"), ("?queue=mail", None), ("?q=x", None)],
)
async def test_tabs_count_what_the_filters_let_through_or_do_not_count(
    client: httpx.AsyncClient, manager: FakeManager, query: str, counted: str | None
) -> None:
    await manager.hold(task(1), task(2, func_name="pay"), task(3))
    page = (await client.get(f"/tasks/dashboard/tasks{query}")).text
    found = re.search(r'id="tab-success"[^>]*>Success<span class="count">(\d)</span>', page)
    assert (found and found[1]) == counted


async def test_a_page_of_a_task_that_is_gone_says_how_long_tasks_are_kept(
    manager: FakeManager,
) -> None:
    for days, words in [(None, "until somebody clears"), (30, "removed after 30 d")]:
        app = FastAPI()
        TaskAdmin(app, manager, retention_days=days)
        async with local(app) as client:
            answer = await client.get("/tasks/dashboard/tasks/gone-1")
        assert answer.status_code == 404
        assert "gone-1" in answer.text
        assert words in answer.text


async def test_figures_lead_to_their_tasks(client: httpx.AsyncClient, manager: FakeManager) -> None:
    await manager.hold(task(1, TaskStatus.FAILED))
    page = (await client.get("/tasks/dashboard")).text
    assert re.findall(r'<dt><a href="([^"]+)">(\w+)', page) == [
        ("./dashboard/tasks?status=pending", "Waiting"),
        ("./dashboard/tasks?status=running", "Running"),
        ("./dashboard/tasks?status=failed&amp;since=1h", "Failed"),
    ]
    zoomed = "since=2026-03-01T11:00:00Z&until=2026-03-01T12:00:00Z"
    page = (await client.get(f"/tasks/dashboard/functions/send?{zoomed}")).text
    link = re.search(r'<dt><a href="([^"]+)">Failed', page)
    assert link is not None
    address = httpx.URL("http://testserver/tasks/dashboard/functions/send")
    listed = await client.get(address.join(link[1].replace("&amp;", "&")))
    assert listed.text.count('<tr id="task-') == 1


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("func:pay", ["task-0002"]),
        ("queue:mail tag:a=b", ["task-0003"]),
        ("status:failed refused", ["task-0004"]),
        ('func:"of two words"', ["task-0005"]),
        ("ValueError: refused", ["task-0004"]),
        ("error:refused", ["task-0004"]),
        ("error:send", []),
        ("id:TASK-0002", ["task-0002"]),
        ("id:0002", []),
        ('"by mail:25"', ["task-0006"]),
        ("https://pay.example", ["task-0006"]),
    ],
)
async def test_conditions_may_be_written_into_the_search(
    client: httpx.AsyncClient, manager: FakeManager, words: str, ids: list[str]
) -> None:
    await manager.hold(
        task(1),
        task(2, func_name="pay"),
        task(3, queue="mail", tags={"a": "b"}),
        task(4, TaskStatus.FAILED, error="ValueError: refused"),
        task(5, func_name="of two words"),
        task(6, TaskStatus.FAILED, error="neither https://pay.example nor by mail:25"),
    )
    found = (await client.get("/tasks", params={"q": words})).json()
    assert [each["task_id"] for each in found] == ids
    page = (await client.get("/tasks/dashboard/tasks", params={"q": words})).text
    assert re.findall(r'<tr id="task-(task-\d+)"', page) == ids


@pytest.mark.parametrize(
    ("words", "named"),
    [("status:broken", "status"), ("mail nofunc:pay", "nofunc"), ("localhost:5432", "localhost")],
)
@pytest.mark.parametrize(
    "path", ["/tasks", "/tasks/count", "/tasks/dashboard/tasks", "/tasks/dashboard/rows"]
)
async def test_a_condition_that_there_is_not_is_told(
    client: httpx.AsyncClient, path: str, words: str, named: str
) -> None:
    answer = await client.get(path, params={"q": words})
    assert answer.status_code == 422
    assert named in answer.text
