"""Roll-ups: every finished task is counted, once, however it came to its end."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from fastapi_taskflow_core.backends.base import Backend, Batch, RollupQuery
from fastapi_taskflow_core.records import FINISHED, Attempt, TaskRecord, TaskStatus
from fastapi_taskflow_core.rollups import (
    STEP,
    Resolution,
    RollupKey,
    Rollups,
    RollupValue,
    floor,
    tally,
)

from ..builders import (
    HOUR,
    ME,
    OTHER,
    SECOND,
    a_task,
    changed,
    claim,
    die,
    ended,
    now,
    put,
    started,
    tasks,
    update,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def _finished(backend: Backend) -> dict[str, int]:
    """How many tasks the roll-ups counted, by status."""
    counts: Counter[str] = Counter()
    for key, value in (await backend.rollups(RollupQuery("hour"))).items():
        if key.event in FINISHED:
            counts[key.event] += value.n
    return dict(counts)


def _summed(counted: Rollups, step: timedelta | None) -> Rollups:
    summed: Rollups = {}
    for key, value in counted.items():
        start = EPOCH if step is None else floor(key.start, step)
        moved = RollupKey(start, key.func_name, key.queue, key.event, key.bucket)
        summed.setdefault(moved, RollupValue()).add(value)
    return summed


def _history(seed: int, number: int = 200) -> list[TaskRecord]:
    """Finished tasks of the last two hours, of every kind."""
    chance = random.Random(seed)  # noqa: S311  not for secrets
    return [_random_task(chance) for _ in range(number)]


def _random_task(chance: random.Random) -> TaskRecord:
    created = now() - timedelta(seconds=chance.uniform(600, 7_200))
    task = a_task(
        created_at=created,
        func_name=chance.choice("fgh"),
        queue=chance.choice(["default", "mail"]),
    )
    status = chance.choice(sorted(FINISHED))
    if chance.random() < 0.2:
        return changed(task, status=status, end_time=created)
    retries = chance.choice([0, 0, 1, 3])
    start = created + timedelta(seconds=chance.expovariate(0.1))
    earlier = tuple(Attempt(n, start, start + SECOND, "no") for n in range(retries))
    latest = started(task, start_time=start + 2 * SECOND, retries_used=retries, earlier=earlier)
    return ended(latest, status, seconds=chance.expovariate(1))


@pytest.mark.parametrize("resolution", STEP)
@pytest.mark.parametrize("seed", range(3))
async def test_rollups_are_what_a_scan_of_all_tasks_would_count(
    backend: Backend, second: Backend, resolution: Resolution, seed: int
) -> None:
    history = _history(seed)
    for start in range(0, len(history), 30):
        await put(backend, *history[start : start + 30])
    expected = tally(history, resolution)
    steps = (None, STEP[resolution], 2 * STEP[resolution])
    for step in steps:
        found = await second.rollups(RollupQuery(resolution, step=step))
        assert dict(found) == _summed(expected, step)


async def test_counts_are_those_of_the_list(backend: Backend) -> None:
    history = _history(seed=9)
    await put(backend, *history)
    assert await _finished(backend) == dict(Counter(task.status.value for task in history))


@pytest.mark.parametrize("name", ["func_name", "queue"])
async def test_rollups_of_one_function_or_queue(backend: Backend, name: str) -> None:
    history = _history(seed=4)
    await put(backend, *history)
    value = getattr(history[0], name)
    wanted = [task for task in history if getattr(task, name) == value]
    found = await backend.rollups(RollupQuery("hour", **{name: value}))
    assert dict(found) == _summed(tally(wanted, "hour"), None)


@pytest.mark.parametrize("queue", [None, "default"])
@pytest.mark.parametrize("step", [None, STEP["hour"]])
async def test_rollups_of_all_functions_and_queues_together(
    backend: Backend, step: timedelta | None, queue: str | None
) -> None:
    history = _history(seed=5)
    await put(backend, *history)
    wanted = [task for task in history if queue in {None, task.queue}]
    expected: Rollups = {}
    for key, value in _summed(tally(wanted, "hour"), step).items():
        together = RollupKey(key.start, "", "", key.event, key.bucket)
        expected.setdefault(together, RollupValue()).add(value)
    found = await backend.rollups(RollupQuery("hour", step=step, queue=queue, together=True))
    assert dict(found) == expected


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("step", [None, STEP["hour"], 2 * STEP["hour"]])
async def test_rollups_whose_buckets_are_not_told_apart(
    backend: Backend, step: timedelta | None, together: bool
) -> None:
    history = _history(seed=6)
    await put(backend, *history)
    expected: Rollups = {}
    for key, value in _summed(tally(history, "hour"), step).items():
        names = ("", "") if together else (key.func_name, key.queue)
        whole = RollupKey(key.start, *names, key.event, 0)
        expected.setdefault(whole, RollupValue()).add(value)
    query = RollupQuery("hour", step=step, together=together, buckets=False)
    assert dict(await backend.rollups(query)) == expected


async def test_rollups_between_two_times_count_by_the_start_of_their_step(
    backend: Backend,
) -> None:
    minute = timedelta(minutes=1)
    start = floor(now() - HOUR, minute)
    history = [
        ended(a_task(created_at=start + i * minute + 30 * SECOND), seconds=1) for i in range(4)
    ]
    await put(backend, *history)
    query = RollupQuery("minute", since=start + minute, until=start + 3 * minute, step=minute)
    found = await backend.rollups(query)
    assert dict(found) == tally(history[1:3], "minute")


async def test_rollups_of_nothing_are_empty(backend: Backend) -> None:
    await put(backend, a_task())
    assert dict(await backend.rollups(RollupQuery("minute"))) == {}


async def test_repeating_a_batch_counts_once(backend: Backend) -> None:
    new, known = a_task(), a_task()
    await put(backend, known)
    batch = Batch(ME, inserts=[ended(new)], updates=[ended(known)])
    for _ in range(3):
        await backend.write(batch)
    assert await _finished(backend) == {"success": 2}


async def test_what_was_refused_is_not_counted(backend: Backend) -> None:
    mine, foreign = tasks(2)
    await put(backend, mine)
    await put(backend, changed(foreign, owner=OTHER), instance=OTHER)
    await update(backend, ended(mine), ended(foreign, TaskStatus.FAILED))
    assert await _finished(backend) == {"success": 1}


async def test_a_duplicate_is_not_counted(backend: Backend) -> None:
    await put(backend, *(ended(a_task(idempotency_key="k")) for _ in range(3)))
    assert await _finished(backend) == {"success": 1}


async def test_a_task_cancelled_in_the_backend_is_counted_once(backend: Backend) -> None:
    task = a_task(owner=None)
    await put(backend, task)
    for _ in range(2):
        await backend.request_cancel(task.task_id, now())
    assert await _finished(backend) == {"cancelled": 1}


async def test_tasks_ended_by_the_death_of_their_owner_are_counted_once(
    backend: Backend,
) -> None:
    await put(backend, a_task(), started(a_task()), started(a_task(requeue_on_interrupt=True)))
    await die(backend, ME)
    for _ in range(2):
        await claim(backend, OTHER, max_crashes=1)
    assert await _finished(backend) == {"interrupted": 2, "failed": 1}


async def test_deleted_tasks_stay_counted(backend: Backend) -> None:
    await put(backend, *(ended(task) for task in tasks(5)))
    assert await backend.delete(now() + HOUR, 100) == 5
    assert await _finished(backend) == {"success": 5}


async def test_long_durations_are_summed_exactly(backend: Backend) -> None:
    days = 3 * 86_400.0
    await put(backend, *(ended(a_task(created_at=now() - 73 * HOUR), seconds=days) for _ in "12"))
    found = await backend.rollups(RollupQuery("hour"))
    values = [value for key, value in found.items() if key.event == TaskStatus.SUCCESS]
    microseconds = int(days * 1e6)
    assert values == [RollupValue(2, 2 * microseconds, microseconds, microseconds)]
