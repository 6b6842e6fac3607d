"""An attempt takes no longer than it may, and two attempts never overlap."""

from __future__ import annotations

import asyncio
import threading

import pytest
from eventually import eventually

from fastapi_taskflow_core import TaskManager, TaskRecord, get_task_context


async def run(manager: TaskManager, func: object) -> TaskRecord:
    tasks = manager.new_list()
    task_id = tasks.add_task(func)  # type: ignore[arg-type]
    await tasks.finish()
    return await manager.history.get(task_id)


async def test_an_async_attempt_is_cut_off(manager: TaskManager) -> None:
    @manager.task(timeout=0.01)
    async def endless() -> None:
        await asyncio.Event().wait()

    task = await run(manager, endless)
    assert (task.status, task.error) == (
        "failed",
        "AttemptTimeout: the attempt took longer than 0.01 s",
    )


async def test_a_timeout_is_worth_another_attempt(manager: TaskManager) -> None:
    attempts: list[int] = []

    @manager.task(timeout=0.01, retries=1)
    async def slow_at_first() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            await asyncio.Event().wait()

    task = await run(manager, slow_at_first)
    assert (task.status, task.retries_used) == ("success", 1)


async def test_a_timeout_error_of_the_task_itself_is_its_own(manager: TaskManager) -> None:
    @manager.task(timeout=60)
    async def work() -> None:
        raise TimeoutError("the mail server")

    assert (await run(manager, work)).error == "TimeoutError: the mail server"


async def test_a_task_may_have_timeouts_of_its_own(manager: TaskManager) -> None:
    @manager.task(timeout=60)
    async def work() -> None:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            return

    assert (await run(manager, work)).status == "success"


async def test_the_result_of_a_thread_that_took_too_long_is_dropped(manager: TaskManager) -> None:
    goes_on, over = threading.Event(), threading.Event()
    told: list[bool] = []

    @manager.task(timeout=0.01)
    def slow() -> None:
        context = get_task_context()
        assert context is not None
        goes_on.wait(30)
        told.append(context.cancelled)
        over.set()

    task = await run(manager, slow)
    goes_on.set()
    await asyncio.to_thread(over.wait, 30)
    assert (task.error or "").startswith("AttemptTimeout")
    assert (await manager.history.get(task.task_id)).status == "failed"
    assert told == [True]


@pytest.mark.parametrize("delay", [0, 0.005])
async def test_the_next_attempt_waits_for_the_thread_of_the_one_before(
    manager: TaskManager, delay: float
) -> None:
    running: list[int] = []
    most: list[int] = []
    goes_on = threading.Event()

    @manager.task(timeout=0.5, retries=1, delay=delay)
    def slow_at_first() -> None:
        running.append(1)
        most.append(len(running))
        goes_on.wait(30)
        running.pop()

    task_id = await manager.enqueue(slow_at_first)

    async def failed_once() -> bool:
        return (await manager.history.get(task_id)).retries_used == 1

    await eventually(failed_once)
    await asyncio.sleep(0.03)  # another attempt could begin now, if it did not wait
    goes_on.set()
    assert ((await manager.wait(task_id, 30)).status, most) == ("success", [1, 1])


async def test_a_task_cancelled_while_its_old_thread_runs_is_not_tried_again(
    manager: TaskManager,
) -> None:
    goes_on = threading.Event()
    calls: list[int] = []

    @manager.task(timeout=0.01, retries=1)
    def slow() -> None:
        calls.append(1)
        goes_on.wait(30)

    tasks = manager.new_list()
    task_id = tasks.add_task(slow)
    tasks.run()

    async def failed_once() -> bool:
        return (await manager.history.get(task_id)).retries_used == 1

    await eventually(failed_once)
    assert (await manager.cancel(task_id)).status == "cancelled"
    goes_on.set()
    tasks.add_task(asyncio.sleep, 0)
    await tasks.finish()
    assert calls == [1]
    assert (await manager.history.get(task_id)).status == "cancelled"


async def test_the_time_a_task_waits_for_a_thread_does_not_count() -> None:
    manager = TaskManager(max_sync_threads=1)
    loop, begun, goes_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def blocks() -> None:
        loop.call_soon_threadsafe(begun.set)
        goes_on.wait(30)

    @manager.task(timeout=0.01)
    def starved() -> None: ...

    first = manager.new_list()
    first.add_task(blocks)
    first.run()
    await begun.wait()
    task_id = await manager.enqueue(starved)
    await asyncio.sleep(0.05)  # longer than its limit
    assert (await manager.history.get(task_id)).status == "pending"
    goes_on.set()
    assert (await manager.wait(task_id, 30)).status == "success"
