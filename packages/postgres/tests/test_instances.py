"""Applications on one database see, and help, each other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from fastapi_taskflow_core import TaskManager, TaskStatus
from fastapi_taskflow_core.backends.base import Query
from fastapi_taskflow_postgres import PostgresBackend


@pytest.fixture
async def managers(url: str, schema: str) -> AsyncIterator[list[TaskManager]]:
    """Two applications."""
    backends = [PostgresBackend(url, schema=schema) for _ in range(2)]
    managers = [TaskManager(snapshot_backend=backend, lease=3) for backend in backends]
    for manager in managers:
        await manager.startup()
    yield managers
    for manager in managers:
        await manager.shutdown()


async def becomes(manager: TaskManager, task_id: str, status: TaskStatus) -> float:
    """Seconds until the task is listed with the status."""
    began = time.monotonic()
    while True:
        page = await manager.history.query(Query(statuses=frozenset({status})))
        if task_id in [task.task_id for task in page.tasks]:
            return time.monotonic() - began
        assert time.monotonic() - began < 10, f"the task is not listed as {status.value}"
        await asyncio.sleep(0.02)


async def test_a_task_of_one_is_listed_by_the_other_within_a_second(
    managers: list[TaskManager],
) -> None:
    one, other = managers
    ending = asyncio.Event()

    @one.task()
    async def wait() -> None:
        await ending.wait()

    task_id = await one.enqueue(wait)
    assert await becomes(other, task_id, TaskStatus.RUNNING) < 1
    ending.set()
    assert await becomes(other, task_id, TaskStatus.SUCCESS) < 1


async def test_one_cancels_a_task_that_the_other_runs(managers: list[TaskManager]) -> None:
    one, other = managers

    @one.task()
    async def wait() -> None:
        await asyncio.Event().wait()

    task_id = await one.enqueue(wait)
    await becomes(other, task_id, TaskStatus.RUNNING)
    await other.cancel(task_id)
    await becomes(other, task_id, TaskStatus.CANCELLED)


async def test_of_many_calls_with_one_key_on_both_one_task_runs(
    managers: list[TaskManager],
) -> None:
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
