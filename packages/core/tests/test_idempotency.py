"""While a task stands, its key stands for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from eventually import ended

from fastapi_taskflow_core import TaskManager, TaskNotFound
from fastapi_taskflow_core.backends.base import Query
from fastapi_taskflow_core.backends.memory import MemoryBackend

KEY = "order 7"


@pytest.fixture
async def manager(database: MemoryBackend) -> AsyncIterator[TaskManager]:
    """A manager on the database."""
    manager = TaskManager(snapshot_backend=database, drain_timeout=0.05)
    await manager.startup()
    yield manager
    await manager.shutdown()


@pytest.fixture
async def other(database: MemoryBackend) -> AsyncIterator[TaskManager]:
    """Another manager on the same database."""
    manager = TaskManager(snapshot_backend=database, drain_timeout=0.05)
    await manager.startup()
    yield manager
    await manager.shutdown()


async def test_a_key_in_one_request_stands_for_one_task(manager: TaskManager) -> None:
    ran: list[int] = []
    tasks = manager.new_list()
    ids = {tasks.add_task(ran.append, n, idempotency_key=KEY) for n in range(3)}
    await tasks.finish()
    assert (len(ids), ran) == (1, [0])


async def test_a_key_of_an_unfinished_task_gives_its_id(manager: TaskManager) -> None:
    goes_on, ran = asyncio.Event(), []

    async def work(number: int) -> None:
        await goes_on.wait()
        ran.append(number)

    first, second = manager.new_list(), manager.new_list()
    one = first.add_task(work, 1, idempotency_key=KEY)
    first.run()
    two = second.add_task(work, 2, idempotency_key=KEY)
    second.run()
    goes_on.set()
    await first.finish()
    await second.finish()
    assert one == two
    assert ran == [1]


@pytest.mark.parametrize("persist", [True, False])
async def test_a_key_of_a_task_that_succeeded_long_ago_gives_an_alias(
    manager: TaskManager, persist: bool
) -> None:
    ran: list[int] = []

    @manager.task(persist=persist)
    async def work(number: int) -> None:
        ran.append(number)

    ids: list[str] = []
    for number in range(3):
        tasks = manager.new_list()
        ids.append(tasks.add_task(work, number, idempotency_key=KEY))
        await tasks.commit()
        await tasks.finish()
        await manager.history.get(ids[0])
    assert ran == [0]
    assert {(await manager.history.get(each)).task_id for each in ids} == {ids[0]}
    assert len((await manager.history.query(Query())).tasks) == 1


async def test_of_calls_on_two_instances_one_runs_and_both_ids_answer(
    manager: TaskManager, other: TaskManager
) -> None:
    ran: list[str] = []

    def registered(manager: TaskManager) -> object:
        @manager.task(persist=True, name="work")
        async def work(where: str) -> None:
            ran.append(where)

        return work

    calls = [
        each.enqueue(registered(each), where, idempotency_key=KEY)  # type: ignore[arg-type]
        for each, where in ((manager, "here"), (other, "there"))
    ]
    ids = await asyncio.gather(*calls)
    await ended(manager, ids[0])
    assert len(ran) == 1
    assert (await manager.history.get(ids[1])).task_id == (await other.history.get(ids[0])).task_id


async def test_an_alias_cancels_the_task_it_stands_for(
    manager: TaskManager, other: TaskManager
) -> None:
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    winner = await manager.enqueue(endless, idempotency_key=KEY)
    await begun.wait()
    alias = await other.enqueue(endless, idempotency_key=KEY)
    assert alias != winner
    await manager.cancel(alias)
    assert (await ended(manager, winner)).status == "cancelled"


@pytest.mark.parametrize("end", ["failed", "cancelled"])
async def test_a_task_that_came_to_nothing_gives_its_key_back(
    manager: TaskManager, end: str
) -> None:
    ran: list[int] = []
    begun = asyncio.Event()

    async def work(number: int) -> None:
        ran.append(number)
        begun.set()
        if number == 0 and end == "failed":
            raise ValueError
        if number == 0:
            await asyncio.Event().wait()

    tasks = manager.new_list()
    first = tasks.add_task(work, 0, idempotency_key=KEY)
    tasks.run()
    await begun.wait()
    if end == "cancelled":
        await manager.cancel(first)
    await tasks.finish()
    tasks = manager.new_list()
    second = tasks.add_task(work, 1, idempotency_key=KEY)
    await tasks.finish()
    assert ran == [0, 1]
    assert (await manager.history.get(first)).status == end
    assert (await manager.history.get(second)).status == "success"


async def test_keys_differ_by_every_byte(manager: TaskManager) -> None:
    keys = ["key", "Key", "kéy", "ke\u0301y", "key ", "k" * 10_000, "🔑"]
    tasks = manager.new_list()
    ids = {tasks.add_task(asyncio.sleep, 0, idempotency_key=key) for key in keys}
    await tasks.finish()
    assert len(ids) == len(keys)
    assert {(await manager.history.get(each)).task_id for each in ids} == ids


async def test_a_duplicate_leaves_nothing_behind(manager: TaskManager) -> None:
    tasks = manager.new_list()
    tasks.add_task(asyncio.sleep, 0, idempotency_key=KEY)
    await tasks.finish()
    await manager.history.metrics()
    for _ in range(3):
        tasks = manager.new_list()
        tasks.add_task(asyncio.sleep, 0, idempotency_key=KEY)
        await tasks.finish()
    assert (await manager.history.metrics()).overall.total == 1


async def test_a_discarded_task_holds_no_key(manager: TaskManager) -> None:
    tasks = manager.new_list()
    given = tasks.add_task(asyncio.sleep, 0, idempotency_key=KEY)
    tasks.discard()
    tasks = manager.new_list()
    assert tasks.add_task(asyncio.sleep, 0, idempotency_key=KEY) != given
    await tasks.finish()
    with pytest.raises(TaskNotFound):
        await manager.history.get(given)
