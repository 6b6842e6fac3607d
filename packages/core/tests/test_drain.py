"""A stop: what runs gets some time, what waits is given away, nothing is lost."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from fastapi_taskflow_core import (
    BackendUnavailable,
    ManagedBackgroundTasks,
    TaskManager,
    TaskRecord,
    get_task_context,
)
from fastapi_taskflow_core.backends.base import Batch, Claim, Written
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.surroundings import Surroundings
from fastapi_taskflow_testkit.clock import VirtualClock


async def started(
    database: MemoryBackend, drain_timeout: float = 0.05, surroundings: Surroundings | None = None
) -> TaskManager:
    manager = TaskManager(
        snapshot_backend=database, drain_timeout=drain_timeout, surroundings=surroundings
    )
    await manager.startup()
    return manager


async def some_turns() -> None:
    """What can go on without time passing has done so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def stored(database: MemoryBackend, task_id: str) -> TaskRecord:
    task = await database.get(task_id)
    assert task is not None
    return task


class Endless:
    """A task that runs until it is cut off."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ends: list[str] = []

    async def __call__(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.ends.append("cut off")
            raise


async def running(manager: TaskManager, **options: bool) -> tuple[str, ManagedBackgroundTasks]:
    endless = Endless()
    manager.task(name="endless", **options)(endless)  # type: ignore[arg-type]
    tasks = manager.new_list()
    task_id = tasks.add_task(endless)
    tasks.run()
    await endless.begun.wait()
    return task_id, tasks


async def test_a_running_task_may_finish(database: MemoryBackend) -> None:
    manager = await started(database, drain_timeout=5)
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await goes_on.wait()

    tasks = manager.new_list()
    task_id = tasks.add_task(work)
    tasks.run()
    await begun.wait()
    stopping = asyncio.ensure_future(manager.shutdown())
    await asyncio.sleep(0)
    goes_on.set()
    await stopping
    assert (await stored(database, task_id)).status == "success"


@pytest.mark.parametrize(
    ("persist", "requeue", "status", "owned"),
    [
        (False, False, "interrupted", True),
        (False, True, "interrupted", True),
        (True, False, "interrupted", True),
        (True, True, "pending", False),
    ],
)
async def test_what_does_not_finish_is_interrupted_or_put_back(
    database: MemoryBackend, persist: bool, requeue: bool, status: str, owned: bool
) -> None:
    manager = await started(database)
    task_id, _ = await running(manager, persist=persist, requeue_on_interrupt=requeue)
    await manager.shutdown()
    task = await stored(database, task_id)
    assert (task.status, task.owner is not None) == (status, owned)
    assert task.retries_used == 0


@pytest.mark.parametrize(("persist", "status"), [(True, "pending"), (False, "interrupted")])
@pytest.mark.parametrize("how", ["behind another", "with priority", "for later", "for a retry"])
async def test_what_waits_is_given_away(
    database: MemoryBackend, how: str, persist: bool, status: str
) -> None:
    manager = await started(database)
    calls: list[str] = []

    @manager.task(persist=persist, retries=1, delay=3600)
    async def work() -> None:
        calls.append("called")
        raise ValueError

    tasks = manager.new_list()
    if how == "behind another":
        _, tasks = await running(manager)
        task_id = tasks.add_task(work)
    elif how == "with priority":
        stopping = asyncio.ensure_future(manager.shutdown())
        await asyncio.sleep(0)
        task_id = tasks.add_task(work, priority=1)
        tasks.run()
        await stopping
    elif how == "for later":
        task_id = tasks.add_task(work, run_at=datetime(2999, 1, 1, tzinfo=UTC))
        tasks.run()
    else:
        task_id = tasks.add_task(work)
        await tasks()
    if persist:
        await tasks.commit()
    await manager.shutdown()
    task = await stored(database, task_id)
    assert task.status == status
    assert (task.owner is None) is persist
    assert calls == (["called"] if how == "for a retry" else [])


async def test_requests_are_let_go_when_draining_begins(database: MemoryBackend) -> None:
    manager = await started(database, drain_timeout=0.2)
    _, tasks = await running(manager)
    request = asyncio.ensure_future(tasks.finish())
    stopping = asyncio.ensure_future(manager.shutdown())
    await request
    assert not stopping.done()
    await stopping


async def test_a_thread_that_does_not_end_keeps_its_task_running(
    database: MemoryBackend, caplog: pytest.LogCaptureFixture
) -> None:
    manager = await started(database)
    loop, begun, goes_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    @manager.task(persist=True, requeue_on_interrupt=True)
    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        goes_on.wait(30)

    tasks = manager.new_list()
    task_id = tasks.add_task(work)
    tasks.run()
    await begun.wait()
    await manager.shutdown()
    task = await stored(database, task_id)
    assert (task.status, task.owner is not None) == ("running", True)
    assert "runs on in a thread" in caplog.text
    goes_on.set()


async def test_a_call_that_never_got_a_thread_is_interrupted(database: MemoryBackend) -> None:
    manager = TaskManager(snapshot_backend=database, drain_timeout=0.4, max_sync_threads=1)
    await manager.startup()
    loop, begun = asyncio.get_running_loop(), asyncio.Event()
    ran: list[int] = []

    def until_told() -> None:
        context = get_task_context()
        assert context is not None
        loop.call_soon_threadsafe(begun.set)
        while not context.cancelled:
            threading.Event().wait(0.002)

    first, second = manager.new_list(), manager.new_list()
    first.add_task(until_told)
    first.run()
    await begun.wait()
    waiting = second.add_task(ran.append, 1)
    second.run()
    await asyncio.sleep(0)
    await manager.shutdown()
    assert ((await stored(database, waiting)).status, ran) == ("interrupted", [])


async def test_a_task_whose_old_thread_still_runs_is_not_given_away(
    database: MemoryBackend,
) -> None:
    manager = await started(database)
    goes_on = threading.Event()

    @manager.task(persist=True, timeout=0.01, retries=1, delay=3600)
    def work() -> None:
        goes_on.wait(30)

    tasks = manager.new_list()
    task_id = tasks.add_task(work)
    await tasks()
    await manager.shutdown()
    assert (await stored(database, task_id)).owner is not None
    goes_on.set()


async def test_a_task_that_turns_its_end_into_an_error_is_put_back_for_its_retry(
    database: MemoryBackend,
) -> None:
    manager = await started(database)
    begun = asyncio.Event()

    @manager.task(persist=True, retries=1)
    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError from None

    tasks = manager.new_list()
    task_id = tasks.add_task(work)
    tasks.run()
    await begun.wait()
    await manager.shutdown()
    task = await stored(database, task_id)
    assert (task.status, task.owner, task.retries_used) == ("pending", None, 1)


async def test_a_manager_starts_again_after_a_stop(database: MemoryBackend) -> None:
    manager = await started(database)
    ran: list[int] = []
    await manager.shutdown()
    await manager.startup()
    tasks = manager.new_list()
    tasks.add_task(ran.append, 1)
    await tasks.finish()
    await manager.shutdown()
    assert ran == [1]


async def test_a_stop_is_bounded_when_the_storage_hangs(database: MemoryBackend) -> None:
    manager = await started(database)

    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    tasks = manager.new_list()
    tasks.add_task(asyncio.sleep, 0)
    await tasks.finish()
    database.write = hang  # type: ignore[method-assign, assignment]
    async with asyncio.timeout(30):
        await manager.shutdown()


@pytest.mark.parametrize(("drain_timeout", "takes"), [(8, 7.5), (0.05, 0.9)])
async def test_a_slow_storage_has_the_time_that_no_task_needs_and_a_second_at_least(
    database: MemoryBackend, drain_timeout: float, takes: float
) -> None:
    clock = VirtualClock()
    manager = await started(database, drain_timeout, Surroundings(clock=clock))
    write = database.write

    async def slow(batch: Batch) -> Written:
        for _ in range(3):
            clock.advance(takes / 3)
            await some_turns()
        return await write(batch)

    tasks = manager.new_list()
    task_id = tasks.add_task(asyncio.sleep, 0)
    await tasks.finish()
    database.write = slow  # type: ignore[method-assign]
    await manager.shutdown()
    assert (await stored(database, task_id)).status == "success"


async def test_a_second_signal_does_not_wait_for_the_storage_that_long(
    database: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        clock = VirtualClock()
        manager = await started(database, 8, Surroundings(clock=clock))
        asked = asyncio.Event()

        async def hang(_: object) -> None:
            asked.set()
            await asyncio.Event().wait()

        tasks = manager.new_list()
        tasks.add_task(asyncio.sleep, 0)
        await tasks.finish()
        monkeypatch.setattr(database, "write", hang)
        signal.raise_signal(signal.SIGTERM)
        stopping = asyncio.create_task(manager.shutdown())
        await asked.wait()
        clock.advance(3)
        await some_turns()
        assert not stopping.done()
        signal.raise_signal(signal.SIGTERM)
        await some_turns()
        clock.advance(2)
        async with asyncio.timeout(30):
            await stopping
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("answers", [True, False])
async def test_a_stop_in_the_middle_of_a_claim_ends_though_the_storage_is_away(
    database: MemoryBackend, answers: bool
) -> None:
    asked, fails = asyncio.Event(), asyncio.Event()

    async def away(_: Claim) -> Sequence[TaskRecord]:
        asked.set()
        await fails.wait()
        raise BackendUnavailable("the line was cut")

    database.claim = away  # type: ignore[method-assign]
    manager = await started(database)
    await asked.wait()
    stopping = asyncio.create_task(manager.shutdown())
    await some_turns()  # by now the stop waits for the claim
    if answers:
        fails.set()
    async with asyncio.timeout(30):
        await stopping


async def test_an_interrupted_task_can_be_asked_for_again(database: MemoryBackend) -> None:
    manager = await started(database)
    ran: list[int] = []
    begun, all_ran = asyncio.Event(), asyncio.Event()

    @manager.task()
    async def work(number: int) -> None:
        begun.set()
        ran.append(number)
        if len(ran) == 3:
            all_ran.set()
        if len(ran) == 1:
            await asyncio.Event().wait()

    tasks = manager.new_list()
    running_id = tasks.add_task(work, 7)
    waiting_id = tasks.add_task(work, 8)
    tasks.run()
    await begun.wait()
    await manager.shutdown()
    await manager.startup()
    for task_id in (running_id, waiting_id):
        assert (await stored(database, task_id)).status == "interrupted"
        await manager.retry(task_id)
    await all_ran.wait()
    await manager.shutdown()
    assert ran == [7, 7, 8]
