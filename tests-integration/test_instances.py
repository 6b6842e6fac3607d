"""Applications that share a storage see, help and hear each other."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from fastapi_taskflow import TaskManager, TaskStatus
from fastapi_taskflow_core.backends.base import Claim, Query
from fastapi_taskflow_core.backends.news import NewsStore
from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_testkit.awake import AwakeClock
from fastapi_taskflow_testkit.faults import AppServer
from fastapi_taskflow_testkit.patience import opened
from places import KINDS, Place, place

TELLING = ["postgres", "redis"]
"""Over the others instances look every few seconds, as they do over these too."""
telling = pytest.mark.parametrize("store", TELLING, indirect=True, scope="module")
on_a_server = pytest.mark.parametrize(
    "store", [kind for kind in KINDS if kind != "sqlite"], indirect=True, scope="module"
)
PROGRAM = """
import asyncio, os
from fastapi import BackgroundTasks, FastAPI
from fastapi_taskflow import TaskAdmin, TaskManager

manager = TaskManager(snapshot_backend=os.environ["TASKS_URL"])
app = FastAPI()
TaskAdmin(app, manager, auto_install=True)
told = asyncio.Event()

@manager.task(persist=True)
async def wait(seconds: float) -> None:
    await asyncio.sleep(seconds)

@manager.task()
async def fail() -> None:
    raise ValueError

@app.post("/wait/{seconds}")
async def add(seconds: float, background_tasks: BackgroundTasks) -> str:
    return background_tasks.add_task(wait, seconds)

@manager.task(persist=True)
async def stay() -> None:
    await told.wait()

@app.post("/stay")
async def add_staying(background_tasks: BackgroundTasks) -> str:
    return background_tasks.add_task(stay)

@app.post("/go")
async def go() -> None:
    told.set()

@app.post("/fail")
async def add_failing(background_tasks: BackgroundTasks) -> str:
    return background_tasks.add_task(fail)
"""
MORTAL = """
import asyncio, sys
from fastapi_taskflow import TaskManager

manager = TaskManager(snapshot_backend=sys.argv[1], lease=600, max_concurrent_tasks=1)
running = asyncio.Event()

@manager.task(persist=True)
async def rest(seconds: float) -> None:
    running.set()
    await asyncio.sleep(seconds)

async def main() -> None:
    await manager.startup()
    first = await manager.enqueue(rest, 600)
    await running.wait()
    print(first, await manager.enqueue(rest, 0), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest) -> Iterator[Place]:
    with place(request.param) as where:
        yield where


@pytest.fixture
async def managers(store: Place) -> AsyncIterator[list[TaskManager]]:
    """Two applications."""
    managers = [TaskManager(snapshot_backend=store.url, drain_timeout=2) for _ in range(2)]
    for manager in managers:
        await manager.startup()
    yield managers
    for manager in managers:
        await manager.shutdown()


@contextmanager
def mortal(url: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A process with a task that runs for long and one that waits behind it, and their ids."""
    process = subprocess.Popen(
        [sys.executable, "-c", MORTAL, url],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()
        process.kill()


async def becomes(manager: TaskManager, task_id: str, status: TaskStatus) -> float:
    """Seconds until the task is listed with the status."""
    began = time.monotonic()
    while True:
        page = await manager.history.query(Query(statuses=frozenset({status})))
        if task_id in [task.task_id for task in page.tasks]:
            return time.monotonic() - began
        assert time.monotonic() - began < 60, f"the task is not listed as {status.value}"
        await asyncio.sleep(0.02)


async def test_of_many_calls_with_one_key_on_both_one_task_runs(managers):
    ran = []

    async def pay() -> None:
        ran.append(1)

    for manager in managers:
        manager.task(persist=True)(pay)
    ids = await asyncio.gather(
        *(managers[n % 2].enqueue(pay, idempotency_key="order 7") for n in range(64))
    )
    found = [await managers[0].history.get(task_id) for task_id in ids]
    assert len({task.task_id for task in found}) == 1
    await becomes(managers[1], found[0].task_id, TaskStatus.SUCCESS)
    assert ran == [1]


async def test_one_waits_for_the_end_of_a_task_of_the_other(managers):
    one, other = managers
    ending = asyncio.Event()

    @one.task(keep_result=True)
    async def wait() -> int:
        await ending.wait()
        return 7

    other.task(keep_result=True, name="wait")(wait)
    task_id = await one.enqueue(wait)
    await becomes(other, task_id, TaskStatus.RUNNING)
    waiting = asyncio.ensure_future(other.wait(task_id, 60))
    ending.set()
    assert other.result_of(await waiting) == 7


async def test_what_is_hoped_for_later_is_run_by_whoever_is_there(managers):
    one, other = managers
    ran = asyncio.Event()

    async def remind() -> None:
        ran.set()

    other.task()(remind)  # the one that asks for it cannot run it

    def remind_too() -> None: ...

    one.task(name="remind")(remind_too)
    task_id = await other.schedule_once(remind, run_at=datetime.now(UTC), run_key="x")
    assert (await one.wait(task_id, 60)).status is TaskStatus.SUCCESS


async def test_a_limit_changed_on_one_holds_on_the_other(managers):
    one, other = managers
    one.update_queue_config("default", concurrency=3)
    deadline = time.monotonic() + 60
    while other.queue_stats()["default"].concurrency != 3:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    one.update_queue_config("default", concurrency=None)
    while other.queue_stats()["default"].concurrency is not None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def test_it_is_known_which_storages_tell():
    urls = {"sqlite": "sqlite:///x.db", "mysql": "mysql://h/d"}
    urls |= {"postgres": "postgresql://h/d", "redis": "redis://h"}
    tell = [kind for kind in KINDS if isinstance(backend_from_url(urls[kind]), NewsStore)]
    assert tell == TELLING


@telling
async def test_a_knock_is_heard_by_all_who_listen(store):
    backend = backend_from_url(store.url)
    assert isinstance(backend, NewsStore)
    heard = asyncio.Event()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(opened(backend))
        other = await stack.enter_async_context(opened(backend.another()))
        assert isinstance(other, NewsStore)
        listening = asyncio.ensure_future(other.listen(heard.set))
        try:
            while not heard.is_set():
                await backend.knock()
                await asyncio.sleep(0.05)
            heard.clear()
            await backend.knock()
            await asyncio.wait_for(heard.wait(), 30)
        finally:
            listening.cancel()
            await asyncio.wait([listening])


@telling
async def test_where_instances_hear_each_other_nothing_waits_for_the_next_look(managers):
    one, other = managers

    @one.task()
    async def wait() -> None:
        await asyncio.Event().wait()

    took = []
    for _ in range(3):
        task_id = await one.enqueue(wait)
        await becomes(other, task_id, TaskStatus.RUNNING)
        with AwakeClock() as clock:
            await other.cancel(task_id)
            assert (await other.wait(task_id, 60)).status is TaskStatus.CANCELLED
        took.append(clock.seconds)
    print(f"cancelled from afar after {[round(each * 1000) for each in took]} ms")
    # A beat is 5 s apart: three in a row were not all lucky.
    assert sum(took) < 5


async def test_what_a_killed_process_of_this_host_left_waits_for_no_lease(store, managers):
    one, _ = managers
    one.task(persist=True, name="rest")(asyncio.sleep)
    with mortal(store.url) as (process, (running, waiting)):
        process.send_signal(signal.SIGSTOP)
        async with opened(backend_from_url(store.url)) as backend:
            taken = await backend.claim(Claim("a", frozenset({"rest"})))
        assert taken == [], "a process that stands still lives as long as its lease"
        process.kill()
        process.wait()
        assert (await one.wait(waiting, 60)).status is TaskStatus.SUCCESS
        assert (await one.history.get(running)).status is TaskStatus.INTERRUPTED


@on_a_server
async def test_where_nothing_shows_that_a_process_is_gone_its_lease_is_waited_for(store, tmp_path):
    wanted = Claim("a", frozenset({"rest"}))
    async with opened(backend_from_url(store.url)) as backend:
        with mortal(store.url, TMPDIR=str(tmp_path)) as (process, (_, waiting)):
            process.kill()
            process.wait()
        assert await backend.claim(wanted) == []
        (gone,) = await backend.instances()
        assert gone.living
        await backend.leave(gone.instance)
        assert [task.task_id for task in await backend.claim(wanted)] == [waiting]


def test_two_servers_show_each_others_tasks_and_cancel_and_retry_them(store, tmp_path):
    (tmp_path / "pair.py").write_text(PROGRAM)
    environment = {"TASKS_URL": store.url}
    with (
        AppServer.of("pair:app", tmp_path, environment) as one,
        AppServer.of("pair:app", tmp_path, environment) as two,
        httpx.Client(base_url=one.wait_until_it_answers().url, timeout=30) as here,
        httpx.Client(base_url=two.wait_until_it_answers().url, timeout=30) as there,
    ):

        def until(task_id: str, status: str, within: float = 60) -> float:
            with AwakeClock() as clock:
                while there.get(f"/tasks/{task_id}").json().get("status") != status:
                    assert clock.seconds < within, f"not {status} within {within} s"
                    time.sleep(0.02)
            return clock.seconds

        staying = here.post("/stay").json()
        seen = [until(staying, "running", 1)]
        here.post("/go")
        seen.append(until(staying, "success", 1))
        long = here.post("/wait/60").json()
        until(long, "running")
        assert there.post(f"/tasks/{long}/cancel").status_code == 200
        seen.append(until(long, "cancelled"))
        failed = here.post("/fail").json()
        until(failed, "failed")
        again = there.post(f"/tasks/{failed}/retry").json()["task_id"]
        until(again, "failed")
        assert len(there.get("/tasks/instances").json()) == 2
        print(f"seen running, its end, cancelled after {[round(each, 2) for each in seen]} s")
        one.stop()
        two.stop()
