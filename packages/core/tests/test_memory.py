"""What the memory backend does beyond the contract: it stays within bounds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fastapi_taskflow_core.backends.base import RollupQuery
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.records import TaskRecord, TaskStatus
from fastapi_taskflow_core.rollups import STEP, Resolution
from fastapi_taskflow_testkit import VirtualClock
from fastapi_taskflow_testkit.builders import (
    ME,
    a_beat,
    a_line,
    a_task,
    all_ids,
    claim,
    die,
    ended,
    put,
    say,
)


def finished(number: int) -> list[TaskRecord]:
    return [ended(a_task(task_id=f"{i:04}")) for i in range(number)]


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_limit_that_makes_no_sense_is_refused_by_name(wrong: int) -> None:
    with pytest.raises(ValueError, match="history_limit must be an int of 1 or more"):
        MemoryBackend(history_limit=wrong)


@pytest.mark.parametrize("wrong", ["10", 1.5, None, True])
def test_a_limit_of_another_kind_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(TypeError, match="history_limit must be an int"):
        MemoryBackend(history_limit=wrong)


async def test_the_tasks_that_finished_last_are_kept() -> None:
    backend = MemoryBackend(history_limit=3)
    for task in finished(5):
        await put(backend, task)
    assert await all_ids(backend) == ["0004", "0003", "0002"]


async def test_a_batch_greater_than_the_limit_is_cut_too() -> None:
    backend = MemoryBackend(history_limit=3)
    await put(backend, *finished(10))
    assert await all_ids(backend) == ["0009", "0008", "0007"]


async def test_unfinished_tasks_do_not_count_and_never_go() -> None:
    backend = MemoryBackend(history_limit=1)
    await put(backend, *(a_task() for _ in range(5)))
    await put(backend, *finished(3))
    assert len(await all_ids(backend)) == 6


@pytest.mark.parametrize("status", [TaskStatus.CANCELLED, TaskStatus.INTERRUPTED])
async def test_tasks_that_the_backend_ends_count(status: TaskStatus) -> None:
    backend = MemoryBackend(history_limit=1)
    await put(backend, *finished(1))
    task = a_task(owner=None if status is TaskStatus.CANCELLED else ME)
    await put(backend, task)
    await backend.request_cancel(task.task_id, task.created_at)
    await die(backend, ME)
    await claim(backend)
    assert await all_ids(backend) == [task.task_id]


async def test_a_dropped_task_takes_lines_aliases_and_key_with_it() -> None:
    backend = MemoryBackend(history_limit=1)
    holder, alias = ended(a_task(idempotency_key="k")), a_task(idempotency_key="k")
    await put(backend, holder, alias)
    await say(backend, holder.task_id, [a_line()])
    await put(backend, *finished(1))
    assert await backend.get(holder.task_id) is None
    assert await backend.get(alias.task_id) is None
    assert await backend.logs(holder.task_id) == []
    assert not (await put(backend, a_task(idempotency_key="k"))).duplicates


async def test_dropped_tasks_stay_counted() -> None:
    backend = MemoryBackend(history_limit=1)
    await put(backend, *finished(5))
    found = await backend.rollups(RollupQuery("hour"))
    assert sum(value.n for key, value in found.items() if key.event == "success") == 5


async def test_deleting_leaves_room_for_as_many() -> None:
    backend = MemoryBackend(history_limit=2)
    await put(backend, *finished(2))
    task = ended(a_task())
    assert task.end_time is not None
    assert await backend.delete(task.end_time, 1) == 1
    await put(backend, task)
    assert await all_ids(backend) == [task.task_id, "0001"]


async def test_lines_of_tasks_that_never_came_are_not_kept_for_ever() -> None:
    backend = MemoryBackend(history_limit=2)
    await put(backend, *finished(2))
    await say(backend, "0001", [a_line()])
    for i in range(50):
        await say(backend, f"never-{i}", [a_line()])
    kept = [i for i in range(50) if await backend.logs(f"never-{i}")]
    assert len(kept) <= 4
    assert await backend.logs("0001")


@pytest.mark.parametrize(
    ("resolution", "kept"),
    [("minute", timedelta(hours=25)), ("hour", timedelta(days=31))],
)
async def test_rollups_are_kept_for_as_long_as_charts_show_them(
    resolution: Resolution, kept: timedelta
) -> None:
    clock = VirtualClock()
    backend = MemoryBackend(clock=clock)

    async def run(name: str) -> set[str]:
        await put(backend, ended(a_task(func_name=name, created_at=clock.now()), seconds=1))
        return await names(STEP[resolution])

    async def names(step: timedelta | None) -> set[str]:
        counted = await backend.rollups(RollupQuery(resolution, step=step))
        return {key.func_name for key in counted}

    await run("old")
    clock.advance((kept - timedelta(hours=1)).total_seconds())
    assert await run("middle") == {"old", "middle"}
    clock.advance(timedelta(hours=2).total_seconds())
    assert await run("new") == {"middle", "new"}
    assert await names(None) == {"old", "middle", "new"}


async def test_a_lease_runs_out_by_the_clock_that_never_jumps() -> None:
    clock = VirtualClock()
    backend = MemoryBackend(clock=clock)
    task = a_task(persist=True, created_at=clock.now())
    await put(backend, task)
    await backend.beat(a_beat(ME, lease=timedelta(seconds=15)))
    clock.advance(14)
    clock.set_wall(clock.now() + timedelta(days=1))
    assert await claim(backend) == []
    clock.advance(2)
    assert [taken.task_id for taken in await claim(backend)] == [task.task_id]


async def test_a_delayed_task_is_due_by_its_clock() -> None:
    clock = VirtualClock()
    backend = MemoryBackend(clock=clock)
    await put(backend, a_task(owner=None, run_at=clock.now() + timedelta(seconds=10)))
    clock.advance(9.9)
    assert await claim(backend) == []
    clock.advance(0.1)
    assert len(await claim(backend)) == 1
