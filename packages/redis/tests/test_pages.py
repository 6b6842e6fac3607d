"""Long walks for a page: they end in time, with a cursor to go on from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fastapi_taskflow_core.backends.base import Page, Query
from fastapi_taskflow_core.records import TaskStatus
from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_redis.address import Address
from fastapi_taskflow_redis.connection import Limits, Server
from fastapi_taskflow_redis.pages import Pages
from fastapi_taskflow_redis.reading import Reader
from fastapi_taskflow_testkit.builders import changed, ended, put, tasks

STATUSES = frozenset({TaskStatus.FAILED, TaskStatus.SUCCESS})


@pytest.fixture
async def short_of_breath(url: str, prefix: str, backend: RedisBackend):
    """Pages for which at most a thousand tasks are looked at."""
    server = Server(Address.parse(url, {}), f"{{{prefix}}}", Limits(2, 5.0), announce=False)
    await server.open()
    yield Pages(server, Reader(server), looked_at=1_000)
    await server.close()


async def walk(pages: Pages, query: Query, direction: str) -> list[Page]:
    """Every page from the query on."""
    found = [await pages.page(query)]
    while cursor := (found[-1].next if direction == "older" else found[-1].previous):
        found.append(await pages.page(replace(query, cursor=cursor)))
    return found


@pytest.mark.parametrize("statuses", [frozenset(), STATUSES], ids=["any", "two"])
async def test_a_page_that_would_take_long_ends_early_and_loses_nothing(
    short_of_breath: Pages, backend: RedisBackend, statuses: frozenset[TaskStatus]
) -> None:
    records = [
        ended(task, TaskStatus.FAILED if i % 2 else TaskStatus.SUCCESS)
        for i, task in enumerate(tasks(5_000))
    ]
    wanted = {17, 18, 2_600, 4_998}
    records = [changed(t, error="needle") if i in wanted else t for i, t in enumerate(records)]
    await put(backend, *records)
    query = Query(text="NEEDLE", limit=2, statuses=statuses)
    pages = await walk(short_of_breath, query, "older")
    found = [task.task_id for page in pages for task in page.tasks]
    assert found == [records[i].task_id for i in sorted(wanted, reverse=True)]
    assert len(pages) > 2
    last = [page for page in pages if page.tasks][-1]
    back = await walk(short_of_breath, replace(query, cursor=last.previous), "newer")
    assert [task.task_id for page in back[::-1] for task in page.tasks] == found[
        : len(found) - len(last.tasks)
    ]


async def test_a_place_among_many_of_one_moment_is_found(backend: RedisBackend) -> None:
    moment = tasks(1)[0].created_at
    await put(backend, *tasks(3_000, created_at=moment))
    seen: list[str] = []
    query = Query(limit=700)
    while True:
        page = await backend.query(query)
        seen += [task.task_id for task in page.tasks]
        if page.next is None:
            break
        query = replace(query, cursor=page.next)
    assert seen == [f"task-{i:06}" for i in reversed(range(3_000))]
