"""Results that are kept, and waiting for them."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest

from fastapi_taskflow_core import PayloadError, TaskManager, TaskNotFound
from fastapi_taskflow_core.backends.memory import MemoryBackend


@pytest.mark.parametrize("value", [None, 7, "\u00fc", {"a": (1, 2)}, date(2026, 1, 1), [b"\0"]])
async def test_a_result_comes_back_equal(manager: TaskManager, value: object) -> None:
    @manager.task(keep_result=True)
    def work() -> object:
        return value

    task = await manager.wait(await manager.enqueue(work), 30)
    assert manager.result_of(task) == value


async def test_without_being_asked_for_no_result_is_kept(manager: TaskManager) -> None:
    async def work() -> int:
        return 7

    task = await manager.wait(await manager.enqueue(work), 30)
    assert task.result is None
    with pytest.raises(PayloadError, match="no stored result"):
        manager.result_of(task)


@pytest.mark.parametrize(
    ("value", "reason"),
    [("x" * 70_000, "70,002 bytes, and at most 65,536"), (object(), "'result' of type object")],
)
async def test_what_cannot_be_kept_is_said_and_fails_nothing(
    manager: TaskManager, value: object, reason: str
) -> None:
    @manager.task(keep_result=True)
    async def work() -> object:
        return value

    task = await manager.wait(await manager.enqueue(work), 30)
    assert task.status == "success"
    assert reason in str(task.result)
    with pytest.raises(PayloadError, match=reason):
        manager.result_of(task)


async def test_a_wait_that_takes_too_long_leaves_the_task_alone(manager: TaskManager) -> None:
    goes_on = asyncio.Event()
    task_id = await manager.enqueue(goes_on.wait)
    with pytest.raises(TimeoutError):
        await manager.wait(task_id, 0.01)
    goes_on.set()
    assert (await manager.wait(task_id)).status == "success"


async def test_waiting_for_nothing_says_so(manager: TaskManager) -> None:
    with pytest.raises(TaskNotFound):
        await manager.wait("nothing")
    with pytest.raises(ValueError, match="timeout"):
        await manager.wait("nothing", -1)


async def test_an_end_on_another_instance_is_heard_of(database: MemoryBackend) -> None:
    here, there = (TaskManager(snapshot_backend=database) for _ in range(2))
    await here.startup()
    await there.startup()
    begun, goes_on = asyncio.Event(), asyncio.Event()

    @there.task(keep_result=True, persist=True)
    async def work() -> datetime:
        begun.set()
        await goes_on.wait()
        return datetime(2026, 1, 1, tzinfo=UTC)

    here.task(keep_result=True)(work)
    task_id = await there.enqueue(work)
    await begun.wait()
    waiting = asyncio.ensure_future(here.wait(task_id, 30))
    await asyncio.sleep(0)
    goes_on.set()
    assert here.result_of(await waiting) == datetime(2026, 1, 1, tzinfo=UTC)
    await here.shutdown()
    await there.shutdown()
