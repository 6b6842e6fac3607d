"""Cancelling: what waits never starts, what runs is told, nothing else is hit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from fastapi_taskflow_core import (
    InMemoryLogger,
    TaskManager,
    TaskNotFound,
    TaskStateError,
    get_task_context,
)


@pytest.fixture
async def manager() -> AsyncIterator[TaskManager]:
    """A manager that runs, with an observer."""
    manager = TaskManager(drain_timeout=0.2)
    await manager.startup()
    yield manager
    await manager.shutdown()


class Gate:
    """A task that has begun and waits."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.ends: list[str] = []

    async def task(self) -> None:
        self.begun.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        self.ends.append("done")


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def test_a_task_that_waits_in_its_request_never_starts(
    manager: TaskManager, gate: Gate
) -> None:
    ran: list[int] = []
    tasks = manager.new_list()
    tasks.add_task(gate.task)
    waiting = tasks.add_task(ran.append, 1)
    tasks.add_task(ran.append, 2)
    tasks.run()
    await gate.begun.wait()
    assert (await manager.cancel(waiting)).status == "cancelled"
    gate.open.set()
    await tasks.finish()
    assert ran == [2]
    assert (await manager.history.get(waiting)).status == "cancelled"


async def test_a_task_that_waits_for_its_retry_is_not_tried_again(manager: TaskManager) -> None:
    failed = asyncio.Event()

    @manager.task(retries=1, delay=3600)
    async def flaky() -> None:
        failed.set()
        raise ValueError

    tasks = manager.new_list()
    task_id = tasks.add_task(flaky)
    await tasks()
    assert failed.is_set()
    assert (await manager.cancel(task_id)).status == "cancelled"
    await tasks.finish()


async def test_a_task_for_later_never_starts(manager: TaskManager) -> None:
    task_id = await manager.enqueue(print, run_at=datetime(2999, 1, 1, tzinfo=UTC))
    assert (await manager.cancel(task_id)).status == "cancelled"


async def test_a_running_async_task_gets_cancelled_and_the_next_one_runs(
    manager: TaskManager, gate: Gate
) -> None:
    ran: list[int] = []
    tasks = manager.new_list()
    task_id = tasks.add_task(gate.task)
    tasks.add_task(ran.append, 1)
    tasks.run()
    await gate.begun.wait()
    assert (await manager.cancel(task_id)).cancel_requested
    await tasks.finish()
    assert (gate.ends, ran) == (["cancelled"], [1])
    assert (await manager.history.get(task_id)).status == "cancelled"


async def test_a_task_that_swallows_its_cancellation_is_cancelled_all_the_same(
    manager: TaskManager, gate: Gate
) -> None:
    async def stubborn() -> None:
        try:
            await gate.task()
        except asyncio.CancelledError:
            await asyncio.sleep(0)

    tasks = manager.new_list()
    task_id = tasks.add_task(stubborn)
    tasks.run()
    await gate.begun.wait()
    await manager.cancel(task_id)
    await tasks.finish()
    assert (await manager.history.get(task_id)).status == "cancelled"


async def test_cancelling_twice_cancels_once(manager: TaskManager, gate: Gate) -> None:
    ran: list[int] = []

    async def slow_to_end() -> None:
        try:
            await gate.task()
        finally:
            await asyncio.sleep(0)
            ran.append(1)

    tasks = manager.new_list()
    task_id = tasks.add_task(slow_to_end)
    tasks.run()
    await gate.begun.wait()
    await manager.cancel(task_id)
    await manager.cancel(task_id)
    await tasks.finish()
    assert ran == [1]


@pytest.mark.parametrize("awaits", [True, False])
async def test_a_task_that_cancels_itself_does_not_hit_the_next(
    manager: TaskManager, awaits: bool
) -> None:
    ran: list[str] = []

    async def suicidal() -> None:
        context = get_task_context()
        assert context is not None
        await manager.cancel(context.task_id)
        if awaits:
            await asyncio.sleep(0)
            ran.append("never")

    async def next_one() -> None:
        await asyncio.sleep(0)
        ran.append("next")

    tasks = manager.new_list()
    task_id = tasks.add_task(suicidal)
    tasks.add_task(next_one)
    await tasks.finish()
    assert ran == ["next"]
    assert (await manager.history.get(task_id)).status == "cancelled"


async def test_a_task_in_a_thread_is_told_and_marked_when_it_returns(manager: TaskManager) -> None:
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    goes_on = threading.Event()
    seen: list[bool] = []

    def work() -> None:
        context = get_task_context()
        assert context is not None
        loop.call_soon_threadsafe(begun.set)
        goes_on.wait(30)
        seen.append(context.cancelled)
        context.raise_if_cancelled()

    tasks = manager.new_list()
    task_id = tasks.add_task(work)
    tasks.run()
    await begun.wait()
    assert (await manager.cancel(task_id)).status == "running"
    goes_on.set()
    await tasks.finish()
    assert seen == [True]
    task = await manager.history.get(task_id)
    assert (task.status, task.retries_used) == ("cancelled", 0)


async def test_a_cancelled_task_is_not_tried_again(manager: TaskManager, gate: Gate) -> None:
    @manager.task(retries=5)
    async def turns_it_into_an_error() -> None:
        try:
            await gate.task()
        except asyncio.CancelledError:
            raise ValueError from None

    tasks = manager.new_list()
    task_id = tasks.add_task(turns_it_into_an_error)
    tasks.run()
    await gate.begun.wait()
    await manager.cancel(task_id)
    await tasks.finish()
    task = await manager.history.get(task_id)
    assert (task.status, task.retries_used) == ("cancelled", 0)


@pytest.mark.parametrize("error", [asyncio.CancelledError, SystemExit, KeyboardInterrupt])
async def test_what_a_task_raises_by_itself_is_a_failure(
    manager: TaskManager, error: type[BaseException]
) -> None:
    async def work() -> None:
        raise error

    tasks = manager.new_list()
    task_id = tasks.add_task(work)
    await tasks.finish()
    assert (await manager.history.get(task_id)).status == "failed"


async def test_a_call_waiting_for_a_thread_never_starts_when_cancelled() -> None:
    manager = TaskManager(max_sync_threads=1)
    await manager.startup()
    loop, begun, goes_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    ran: list[int] = []

    def blocks() -> None:
        loop.call_soon_threadsafe(begun.set)
        goes_on.wait(30)

    first, second = manager.new_list(), manager.new_list()
    first.add_task(blocks)
    waiting = second.add_task(ran.append, 1)
    first.run()
    await begun.wait()
    second.run()
    await asyncio.sleep(0)
    await manager.cancel(waiting)
    goes_on.set()
    await first.finish()
    await second.finish()
    assert ran == []
    assert (await manager.history.get(waiting)).status == "cancelled"
    await manager.shutdown()


async def test_only_what_is_there_and_unfinished_can_be_cancelled(manager: TaskManager) -> None:
    tasks = manager.new_list()
    task_id = tasks.add_task(asyncio.sleep, 0)
    await tasks.finish()
    with pytest.raises(TaskStateError, match="cannot cancel .* success"):
        await manager.cancel(task_id)
    with pytest.raises(TaskNotFound, match="gone"):
        await manager.cancel("gone")


async def test_observers_hear_of_a_cancellation(gate: Gate) -> None:
    log = InMemoryLogger()
    manager = TaskManager(loggers=[log])
    await manager.startup()
    tasks = manager.new_list()
    task_id = tasks.add_task(gate.task)
    tasks.run()
    await gate.begun.wait()
    await manager.cancel(task_id)
    await tasks.finish()
    await manager.shutdown()
    assert [event.status for event in log.lifecycle_events] == ["pending", "running", "cancelled"]


@pytest.mark.parametrize("before", [False, True])
async def test_a_task_may_cancel_itself_in_its_first_step(
    manager: TaskManager, *, before: bool
) -> None:
    ended: list[int] = []

    async def warm_up() -> None:
        """Whatever stands by has been used before."""

    async def selfish() -> None:
        context = get_task_context()
        assert context is not None
        await manager.cancel(context.task_id)
        await asyncio.Event().wait()

    async def after() -> None:
        await asyncio.sleep(0)
        ended.append(1)

    if before:
        tasks = manager.new_list()
        tasks.add_task(warm_up)
        await tasks()
        await asyncio.sleep(0)
    tasks = manager.new_list()
    first, second = tasks.add_task(selfish), tasks.add_task(after)
    await tasks()
    await tasks.finish()
    assert (await manager.wait(first, 30)).status == "cancelled"
    assert (await manager.wait(second, 30)).status == "success"
    assert ended == [1]


async def test_a_task_that_cancels_the_asyncio_task_it_runs_in_does_not_hold_up_the_next(
    manager: TaskManager,
) -> None:
    async def reckless() -> None:
        running = asyncio.current_task()
        assert running is not None
        running.cancel()
        await asyncio.Event().wait()

    tasks = manager.new_list()
    task_id = tasks.add_task(reckless)
    await tasks()
    assert (await manager.wait(task_id, 30)).status.finished
