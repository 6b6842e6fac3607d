"""Work that others left is taken over, and work that others took is let go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from eventually import ended

from fastapi_taskflow_core import TaskManager, TaskRecord, TaskStatus, task_log
from fastapi_taskflow_core.arguments import TypedJsonCodec
from fastapi_taskflow_core.backends.base import Batch, Beat, Claim
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.records import LogEntry

Func = Callable[[int], Awaitable[None]]


def manager_on(database: MemoryBackend) -> TaskManager:
    return TaskManager(snapshot_backend=database, drain_timeout=0.05)


def left_behind(func: Callable[..., object], **changes: Any) -> TaskRecord:
    payload = TypedJsonCodec().encode("left", "work", func, (7,), {})
    now = datetime.now(UTC)
    task = TaskRecord("left", "work", now, owner="dead", persist=True, payload=payload)
    return replace(task, **changes)


@pytest.mark.parametrize(
    ("changes", "status", "runs"),
    [
        ({}, "success", 1),
        ({"owner": None}, "success", 1),
        ({"persist": False}, "interrupted", 0),
        ({"status": TaskStatus.RUNNING}, "interrupted", 0),
        ({"status": TaskStatus.RUNNING, "requeue_on_interrupt": True}, "success", 1),
        ({"status": TaskStatus.RUNNING, "requeue_on_interrupt": True, "crashes": 2}, "failed", 0),
    ],
)
async def test_the_next_start_takes_over(
    database: MemoryBackend, changes: dict[str, Any], status: str, runs: int
) -> None:
    manager = manager_on(database)
    ran: list[int] = []

    @manager.task()
    async def work(number: int) -> None:
        ran.append(number)

    task = left_behind(work, **changes)
    if task.status is TaskStatus.RUNNING:
        task.start_time = task.created_at
    await database.write(Batch("dead", inserts=[task]))
    await manager.startup()
    assert (await ended(manager, "left")).status == status
    await manager.shutdown()
    assert ran == [7] * runs


async def test_work_of_a_living_instance_is_left_alone(database: MemoryBackend) -> None:
    manager = manager_on(database)

    @manager.task()
    async def work(number: int) -> None:
        raise AssertionError(number)

    now = datetime.now(UTC)
    await database.beat(Beat("alive", "host", 1, "1", now, timedelta(hours=1)))
    await database.write(Batch("alive", inserts=[left_behind(work, owner="alive")]))
    await manager.startup()
    await asyncio.sleep(0.05)
    await manager.shutdown()
    task = await database.get("left")
    assert task is not None
    assert (task.status, task.owner) == ("pending", "alive")


async def test_an_unknown_function_stays_where_it_is(database: MemoryBackend) -> None:
    async def work(number: int) -> None:
        raise AssertionError(number)

    await database.write(Batch("dead", inserts=[left_behind(work)]))
    manager = manager_on(database)
    await manager.startup()
    await asyncio.sleep(0.05)
    await manager.shutdown()
    task = await database.get("left")
    assert task is not None
    assert (task.status, task.owner) == ("pending", None)


async def test_it_runs_when_a_process_knows_the_function_again(database: MemoryBackend) -> None:
    ran: list[int] = []

    async def work(number: int) -> None:
        ran.append(number)

    await database.write(Batch("dead", inserts=[left_behind(work)]))
    for knows in (False, True):
        manager = manager_on(database)
        if knows:
            manager.task()(work)
        await manager.startup()
        if knows:
            await ended(manager, "left")
        else:
            assert (await manager.history.get("left")).status == "pending"
        await manager.shutdown()
    assert ran == [7]


async def test_a_function_runs_as_it_is_now_not_as_it_was(database: MemoryBackend) -> None:
    manager = manager_on(database)
    ran: list[int] = []

    @manager.task()
    async def work(number: int) -> None:
        ran.append(number)

    await database.write(Batch("dead", inserts=[left_behind(work, executor="thread")]))
    await manager.startup()
    task = await ended(manager, "left")
    await manager.shutdown()
    assert (task.status, task.executor, ran) == ("success", "async", [7])


async def test_arguments_that_cannot_be_read_fail_the_task_at_once(
    database: MemoryBackend,
) -> None:
    manager = manager_on(database)

    @manager.task(retries=5)
    async def work(number: int) -> None:
        raise AssertionError(number)

    await database.write(Batch("dead", inserts=[left_behind(work, payload=b"\x00 rubbish")]))
    await manager.startup()
    task = await ended(manager, "left")
    await manager.shutdown()
    assert (task.status, task.retries_used, task.payload) == ("failed", 0, b"\x00 rubbish")
    assert (task.error or "").startswith("PayloadError")


async def test_the_lines_of_every_owner_are_kept(database: MemoryBackend) -> None:
    manager = manager_on(database)

    @manager.task()
    async def work(number: int) -> None:
        task_log(f"second owner, {number}")

    line = LogEntry(1, datetime.now(UTC), 0, "info", "first owner")
    await database.write(Batch("dead", inserts=[left_behind(work)], logs=[("left", line)]))
    await manager.startup()
    await ended(manager, "left")
    lines = await manager.history.logs("left")
    await manager.shutdown()
    assert [each.message for each in lines] == ["first owner", "second owner, 7"]


async def test_what_a_stop_put_back_runs_on_the_next_start(database: MemoryBackend) -> None:
    ran: list[int] = []
    begun = asyncio.Event()

    def serving(manager: TaskManager) -> Func:
        @manager.task(persist=True, requeue_on_interrupt=True)
        async def work(number: int) -> None:
            ran.append(number)
            begun.set()
            if len(ran) == 1:
                await asyncio.Event().wait()

        return work

    first, second = manager_on(database), manager_on(database)
    await first.startup()
    task_id = await first.enqueue(serving(first), 7)
    await begun.wait()
    await first.shutdown()
    serving(second)
    await second.startup()
    task = await ended(second, task_id)
    await second.shutdown()
    assert ran == [7, 7]
    assert (task.status, task.retries_used, task.crashes, len(task.attempts)) == (
        "success",
        0,
        0,
        2,
    )


@pytest.mark.parametrize("in_time", [True, False])
async def test_a_task_that_another_instance_took_is_dropped_here(
    database: MemoryBackend, in_time: bool
) -> None:
    manager = manager_on(database)
    begun, goes_on = asyncio.Event(), asyncio.Event()
    over = asyncio.Event()
    ends: list[str] = []

    @manager.task(persist=True, requeue_on_interrupt=True)
    async def work() -> None:
        begun.set()
        try:
            await goes_on.wait()
        except asyncio.CancelledError:
            ends.append("cut off")
            raise
        else:
            ends.append("done")
        finally:
            over.set()

    await manager.startup()
    task_id = await manager.enqueue(work)
    await begun.wait()
    task = await manager.history.get(task_id)
    assert task.owner is not None
    await database.leave(task.owner)
    taken = await database.claim(Claim("other", frozenset({"work"})))
    assert [each.task_id for each in taken] == [task_id]
    if in_time:
        goes_on.set()
    else:
        await manager.cancel(task_id)
    await over.wait()
    await manager.shutdown()
    stored = await database.get(task_id)
    assert stored is not None
    assert (stored.status, stored.owner) == ("pending", "other")
    assert ends == ["done" if in_time else "cut off"]


async def test_a_cancellation_asked_for_elsewhere_reaches_the_owner(
    database: MemoryBackend,
) -> None:
    here = TaskManager(snapshot_backend=database, drain_timeout=0.05, lease=3)
    there = manager_on(database)
    begun = asyncio.Event()

    @here.task(persist=True)
    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    await here.startup()
    await there.startup()
    task_id = await here.enqueue(endless)
    await begun.wait()
    assert (await there.cancel(task_id)).cancel_requested
    assert (await ended(here, task_id)).status == "cancelled"
    await here.shutdown()
    await there.shutdown()
