"""Whose turn it is: priorities, queues, and the limits of what runs at once."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from eventually import ended, eventually
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastapi_taskflow_core import (
    ManagedBackgroundTasks,
    QueueConfig,
    QueueFullError,
    TaskManager,
)
from fastapi_taskflow_core.backends.base import Capabilities, Query
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.backends.settings import Setting


class Hall:
    """Tasks that are let go one by one, and what is known of them meanwhile."""

    def __init__(self) -> None:
        self.begun: list[object] = []
        self.most = 0
        self._inside = 0
        self._open = asyncio.Semaphore(0)

    async def visit(self, name: object) -> None:
        """Stay until let go."""
        self.begun.append(name)
        self._inside += 1
        self.most = max(self.most, self._inside)
        try:
            await self._open.acquire()
        finally:
            self._inside -= 1

    def let_go(self, number: int = 1) -> None:
        """Let so many tasks end."""
        for _ in range(number):
            self._open.release()

    async def has(self, number: int) -> None:
        """Wait until so many have begun, and see that it stays so."""

        async def begun() -> bool:
            return len(self.begun) == number

        await eventually(begun)
        await asyncio.sleep(0)
        assert len(self.begun) == number


@pytest.fixture
def hall() -> Hall:
    return Hall()


Make = Callable[..., TaskManager]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes managers that are running."""
    made: list[TaskManager] = []

    def manager(**settings: Any) -> TaskManager:
        made.append(TaskManager(drain_timeout=0.2, **settings))
        return made[-1]

    yield manager
    for each in made:
        await each.shutdown()


async def test_the_highest_priority_begins_first_and_equals_in_order_of_arrival(
    make: Make, hall: Hall
) -> None:
    manager = make(max_concurrent_tasks=1)
    await manager.enqueue(hall.visit, "first")
    await hall.has(1)
    chosen = random.Random(1)
    wanted = [(chosen.randint(-5, 10), number) for number in range(1_000)]
    for priority, number in wanted:
        await manager.enqueue(hall.visit, (priority, number), priority=priority)
    hall.let_go(1_001)
    await hall.has(1_001)
    assert hall.begun[1:] == sorted(wanted, key=lambda it: (-it[0], it[1]))
    assert hall.most == 1


async def test_tasks_added_together_begin_by_priority(make: Make, hall: Hall) -> None:
    tasks = make().new_list()
    for priority in (1, 9, 5):
        tasks.add_task(hall.visit, priority, priority=priority)
    tasks.run()
    hall.let_go(3)
    await tasks.finish()
    assert hall.begun == [9, 5, 1]


async def test_eager_is_ignored_where_a_priority_is_given(make: Make, hall: Hall) -> None:
    tasks = make().new_list()
    tasks.add_task(hall.visit, 1, eager=True, priority=1)
    await asyncio.sleep(0)
    assert hall.begun == []
    tasks.discard()


async def test_no_more_async_tasks_run_than_allowed(make: Make, hall: Hall) -> None:
    manager = make(max_concurrent_tasks=3)
    lists = [manager.new_list() for _ in range(10)]
    for number, tasks in enumerate(lists):
        tasks.add_task(hall.visit, number)
        tasks.run()
    await hall.has(3)
    hall.let_go(10)
    await hall.has(10)
    assert hall.most == 3


async def test_who_waits_goes_before_who_comes_later(make: Make, hall: Hall) -> None:
    manager = make(max_concurrent_tasks=1)
    for number in range(3):
        tasks = manager.new_list()
        tasks.add_task(hall.visit, number)
        tasks.run()
    hall.let_go(3)
    await hall.has(3)
    assert hall.begun == [0, 1, 2]


async def test_a_queue_runs_no_more_than_its_share(make: Make, hall: Hall) -> None:
    manager = make(queues={"mail": QueueConfig(concurrency=2)})
    ids = [await manager.enqueue(hall.visit, number, queue="mail") for number in range(5)]
    await manager.enqueue(hall.visit, "another queue")
    await hall.has(3)
    stats = manager.queue_stats()
    third = await manager.history.get(ids[2])
    assert (stats["mail"].next_since, stats["default"].next_since) == (third.created_at, None)
    assert (stats["mail"].running, stats["mail"].waiting) == (2, 3)
    assert (stats["default"].running, stats["default"].waiting) == (1, 0)
    hall.let_go(6)
    await hall.has(6)


async def test_a_full_queue_raises_and_records_the_task_as_rejected(make: Make, hall: Hall) -> None:
    manager = make(queues={"mail": QueueConfig(concurrency=1, max_size=2)})
    for number in range(3):
        await manager.enqueue(hall.visit, number, queue="mail")
        await hall.has(1)
    with pytest.raises(QueueFullError, match="queue 'mail' is full") as refused:
        await manager.enqueue(hall.visit, 3, queue="mail")
    rejected = await ended(manager, refused.value.task_id)
    assert (rejected.status, rejected.error) == ("rejected", "queue 'mail' was full")
    assert manager.queue_stats()["mail"].rejected == 1
    hall.let_go(3)
    await hall.has(3)


async def test_what_a_request_holds_counts_before_it_is_accepted(make: Make, hall: Hall) -> None:
    manager = make(max_size=2)
    tasks = manager.new_list()
    tasks.add_task(hall.visit, 1)
    tasks.add_task(hall.visit, 2)
    with pytest.raises(QueueFullError):
        tasks.add_task(hall.visit, 3)
    assert manager.queue_stats()["default"].waiting == 2
    tasks.discard()
    assert manager.queue_stats()["default"].waiting == 0


async def test_a_rejected_task_can_be_asked_for_again(make: Make, hall: Hall) -> None:
    manager = make(queues={"mail": QueueConfig(max_size=0)})

    @manager.task(queue="mail", name="visit")
    async def visit(name: str) -> None:
        await hall.visit(name)

    with pytest.raises(QueueFullError) as refused:
        await manager.enqueue(visit, "again")
    manager.update_queue_config("mail", max_size=None)
    hall.let_go()
    again = await manager.wait(await manager.retry(refused.value.task_id), 30)
    assert (again.status, hall.begun) == ("success", ["again"])


async def test_a_retry_goes_into_a_full_queue(make: Make) -> None:
    manager = make(queues={"mail": QueueConfig(concurrency=1, max_size=0)})
    manager.update_queue_config("mail", max_size=1)

    @manager.task(retries=1, delay=0.001, queue="mail")
    async def flaky() -> None:
        manager.update_queue_config("mail", max_size=0)
        raise ValueError

    task = await manager.wait(await manager.enqueue(flaky), 30)
    assert (task.status, task.retries_used) == ("failed", 1)


async def test_a_cancelled_task_leaves_its_queue(make: Make, hall: Hall) -> None:
    manager = make(queues={"mail": QueueConfig(concurrency=1, max_size=1)})
    await manager.enqueue(hall.visit, 1, queue="mail")
    await hall.has(1)
    waiting = await manager.enqueue(hall.visit, 2, queue="mail")
    await manager.cancel(waiting)
    assert manager.queue_stats()["mail"].waiting == 0
    await manager.enqueue(hall.visit, 3, queue="mail")
    hall.let_go(2)
    await hall.has(2)
    assert hall.begun == [1, 3]


@pytest.mark.parametrize("how", [{}, {"queue": "mail"}, {"priority": 3}])
async def test_a_task_cancelled_while_it_waits_never_starts(
    make: Make, hall: Hall, how: dict[str, Any]
) -> None:
    manager = make(max_concurrent_tasks=1, queues={"mail": QueueConfig()})
    await manager.enqueue(hall.visit, "busy")
    await hall.has(1)
    tasks = manager.new_list()
    waiting = tasks.add_task(hall.visit, "never", **how)
    tasks.add_task(hall.visit, "next", **how)
    tasks.run()
    assert (await manager.cancel(waiting)).status == "cancelled"
    hall.let_go(2)
    await tasks.finish()
    assert hall.begun == ["busy", "next"]


async def test_an_unknown_queue_is_the_default_one_and_is_named_once(
    make: Make, hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    manager = make(queues={"mail": QueueConfig()})
    hall.let_go(3)
    with caplog.at_level(logging.WARNING):
        for queue in ("male", "male", "mail"):
            task_id = await manager.enqueue(hall.visit, queue, queue=queue)
            task = await manager.wait(task_id, 30)
            assert task.queue == ("mail" if queue == "mail" else "default")
    assert [record.getMessage()[:25] for record in caplog.records] == ["there is no queue 'male',"]


async def test_a_paused_queue_begins_nothing_until_it_is_resumed(make: Make, hall: Hall) -> None:
    manager = make(queues={"mail": QueueConfig(concurrency=2)})
    manager.pause_queue("mail")
    await manager.enqueue(hall.visit, "mail", queue="mail")
    await manager.enqueue(hall.visit, "other")
    await hall.has(1)
    assert manager.queue_stats()["mail"].paused
    manager.resume_queue("mail")
    assert manager.queue_stats()["mail"].concurrency == 2
    await manager.startup()
    hall.let_go(2)
    await hall.has(2)
    assert hall.begun == ["other", "mail"]


async def test_limits_that_change_under_load_hold_for_what_begins_after(make: Make) -> None:
    manager = make(queues={"mail": QueueConfig(concurrency=2)})
    await manager.startup()
    running = 0
    too_many: list[tuple[int, int]] = []
    limit = 2

    async def work() -> None:
        nonlocal running
        running += 1
        if running > max(limit, still_there):
            too_many.append((running, limit))
        await asyncio.sleep(0.001)
        running -= 1

    still_there = 0
    ids = [await manager.enqueue(work, queue="mail") for _ in range(300)]
    for now in (2, 8, 1, 3):
        limit, still_there = now, running
        manager.update_queue_config("mail", concurrency=now)
        await manager.wait(ids[75 * (2, 8, 1, 3).index(now)], 30)
    for task_id in ids:
        await manager.wait(task_id, 30)
    assert too_many == []


async def test_changed_limits_are_remembered_and_heard_of_elsewhere(make: Make) -> None:
    database = MemoryBackend()
    queues = {"mail": QueueConfig(concurrency=2)}
    one, two = (make(snapshot_backend=database, queues=queues) for _ in range(2))
    await one.startup()
    one.update_queue_config("mail", concurrency=7, max_size=5)
    one.pause_queue("mail")

    async def stored() -> bool:
        return '"paused": true' in str(await database.settings("queue:"))

    await eventually(stored)
    await two.startup()

    async def heard() -> bool:
        stats = two.queue_stats()["mail"]
        return (stats.concurrency, stats.max_size, stats.paused) == (7, 5, True)

    await eventually(heard)


async def test_limits_changed_before_the_start_hold_after_it(make: Make) -> None:
    manager = make(queues={"mail": QueueConfig()})
    manager.update_queue_config("mail", concurrency=3)
    await manager.startup()
    assert manager.queue_stats()["mail"].concurrency == 3


class Hesitant(MemoryBackend):
    """A database that takes its time to tell settings, and none for tasks."""

    @property
    def capabilities(self) -> Capabilities:
        """Those of a database."""
        return Capabilities(survives_restart=True, shared=False)

    async def settings(self, prefix: str = "") -> Mapping[str, Setting]:
        """The settings, a thousand turns of the event loop later."""
        for _ in range(1_000):
            await asyncio.sleep(0)
        return await super().settings(prefix)


async def test_a_queue_paused_before_a_restart_begins_nothing_after_it(make: Make) -> None:
    ran, database = asyncio.Event(), Hesitant()

    async def work() -> None:
        ran.set()

    def manager_of_mail() -> TaskManager:
        manager = make(snapshot_backend=database, queues={"mail": QueueConfig()})
        manager.task(name="work", persist=True, queue="mail")(work)
        return manager

    one, two = manager_of_mail(), manager_of_mail()
    await one.startup()
    one.pause_queue("mail")
    task_id = await one.enqueue(work)
    await one.shutdown()
    await two.startup()

    async def known() -> bool:
        stats = two.queue_stats()["mail"]
        return stats.paused and stats.waiting + ran.is_set() == 1

    await eventually(known)
    assert not ran.is_set()
    two.resume_queue("mail")
    assert (await two.wait(task_id, 30)).status == "success"


@pytest.mark.parametrize(
    ("settings", "error", "named"),
    [
        ({"max_concurrent_tasks": 0}, ValueError, "max_concurrent_tasks"),
        ({"max_process_workers": 1.5}, TypeError, "max_process_workers"),
        ({"queues": {"mail": 3}}, TypeError, r"queues\['mail'\]"),
        ({"queues": {"": QueueConfig()}}, ValueError, "queues"),
        ({"queues": {"default": QueueConfig()}, "max_size": 1}, ValueError, "not both"),
        ({"max_size": -1}, ValueError, "max_size"),
    ],
)
def test_limits_that_make_no_sense_are_refused(
    settings: dict[str, Any], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        TaskManager(**settings)


def test_a_queue_that_is_not_there_cannot_be_changed() -> None:
    manager = TaskManager(queues={"mail": QueueConfig()})
    with pytest.raises(LookupError, match="no queue 'male': there are 'default', 'mail'"):
        manager.update_queue_config("male", concurrency=1)
    with pytest.raises(ValueError, match="concurrency must be an int of 1 or more"):
        manager.update_queue_config("mail", concurrency=0)
    with pytest.raises(LookupError, match="male"):
        manager.pause_queue("male")


def test_a_route_that_finds_its_queue_full_answers_503() -> None:
    manager = TaskManager(queues={"mail": QueueConfig(max_size=1)})
    app = FastAPI()
    manager.install(app)

    @app.post("/")
    def route(background_tasks: ManagedBackgroundTasks) -> None:
        background_tasks.add_task(print, queue="mail")
        background_tasks.add_task(print, queue="mail")

    answer = TestClient(app).post("/")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "queue 'mail' is full" in answer.json()["reason"]
    assert manager.queue_stats()["mail"].waiting == 0
    found = asyncio.run(manager.history.query(Query()))
    assert [task.status for task in found.tasks] == ["rejected"]
