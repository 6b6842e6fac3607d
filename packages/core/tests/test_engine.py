"""The engine by itself: it runs tasks without a manager, and forgets them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from fastapi_taskflow_core import ManagedBackgroundTasks
from fastapi_taskflow_core.arguments import TypedJsonCodec
from fastapi_taskflow_core.backends.guarded import GuardedBackend
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.engine.engine import Engine, EngineSettings
from fastapi_taskflow_core.engine.feed import Feed
from fastapi_taskflow_core.options import TaskOptions
from fastapi_taskflow_core.registry import Registry
from fastapi_taskflow_core.retry import RetryPolicy
from fastapi_taskflow_core.surroundings import Surroundings


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def engine(registry: Registry) -> Engine:
    store = GuardedBackend(MemoryBackend())
    return Engine(
        store, registry, TypedJsonCodec(), Feed(), Surroundings(), EngineSettings(drain_timeout=0.1)
    )


@pytest.fixture
def new_list(engine: Engine, registry: Registry) -> Callable[[], ManagedBackgroundTasks]:
    return lambda: ManagedBackgroundTasks(engine)


@pytest.mark.parametrize("started", [True, False])
async def test_nothing_is_left_of_tasks_however_they_ended(
    engine: Engine,
    registry: Registry,
    new_list: Callable[[], ManagedBackgroundTasks],
    started: bool,
) -> None:
    async def work(number: int) -> None:
        if number % 3 == 0:
            raise ValueError
        if number % 3 == 1:
            await engine.cancel(ids[number])

    registry.register(work, TaskOptions(RetryPolicy(1), persist=True))
    if started:
        await engine.start()
    tasks = new_list()
    ids = [tasks.add_task(work, number, idempotency_key=str(number)) for number in range(300)]
    assert len(engine.live) == 0
    tasks.accept()
    assert len(engine.live) == 300
    await tasks.finish()
    await engine.journal.flush()
    assert (len(engine.live), engine.lanes.running, engine.journal.buffered) == (0, 0, 0)
    assert engine.live.holder("1") is None
    await engine.stop()


async def test_stopping_before_the_start_and_twice_is_nothing(engine: Engine) -> None:
    await engine.stop()
    await engine.stop()
    assert engine.draining


async def test_a_withdrawn_task_is_not_live(
    engine: Engine, new_list: Callable[[], ManagedBackgroundTasks]
) -> None:
    tasks = new_list()
    tasks.add_task(asyncio.sleep, 0)
    tasks.accept()
    for task in engine.live:
        engine.withdraw(task)
    await tasks.finish()
    assert len(engine.live) == 0
