"""Due tasks without an owner go to one claimer each."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from fastapi_taskflow_core.backends.base import Backend, Batch, Claim
from fastapi_taskflow_core.records import TaskStatus

from ..builders import (
    FUNCTION,
    HOUR,
    ME,
    MICROSECOND,
    OTHER,
    SECOND,
    a_full_task,
    a_task,
    beat_of,
    changed,
    claim,
    ended,
    now,
    put,
    several,
    stored,
    tasks,
    update,
)


async def test_a_claimed_task_is_the_claimers_one_epoch_later(backend: Backend) -> None:
    task = a_task(owner=None, epoch=4)
    await put(backend, task)
    claimed = await claim(backend, OTHER)
    assert claimed == [changed(task, owner=OTHER, epoch=5)]
    assert await stored(backend, task) == claimed[0]


async def test_a_claimed_task_comes_with_all_its_fields(backend: Backend) -> None:
    task = changed(a_full_task(), status=TaskStatus.PENDING, owner=None, end_time=None)
    await put(backend, task)
    (claimed,) = await claim(backend, OTHER)
    assert claimed == changed(task, owner=OTHER, epoch=task.epoch + 1)


async def test_the_claimer_can_write_the_task(backend: Backend) -> None:
    task = a_task(owner=None)
    await put(backend, task)
    (claimed,) = await claim(backend, OTHER)
    assert not (await update(backend, ended(claimed), instance=OTHER)).refused


async def test_nothing_is_claimed_twice(backend: Backend, second: Backend) -> None:
    await put(backend, a_task(owner=None))
    assert len(await claim(backend, ME)) == 1
    assert await claim(backend, ME) == []
    assert await claim(second, OTHER) == []


async def test_tasks_of_a_living_owner_are_left_alone(backend: Backend, second: Backend) -> None:
    await beat_of(backend, ME)
    await put(backend, a_task(persist=True))
    assert await claim(second, OTHER) == []


@pytest.mark.parametrize("status", sorted(set(TaskStatus) - {TaskStatus.PENDING}))
async def test_only_pending_tasks_are_claimed(backend: Backend, status: TaskStatus) -> None:
    await put(backend, a_task(owner=None, status=status))
    assert await claim(backend) == []


async def test_functions_the_claimer_does_not_know_are_left_alone(backend: Backend) -> None:
    known, unknown = a_task(owner=None), a_task(owner=None, func_name="from_a_newer_release")
    await put(backend, known, unknown)
    assert [task.task_id for task in await claim(backend)] == [known.task_id]
    assert await stored(backend, unknown) == unknown


async def test_names_of_functions_are_told_apart_by_every_byte(backend: Backend) -> None:
    names = ["send", "Send", "send ", "sénd"]
    await put(backend, *(a_task(owner=None, func_name=name) for name in names))
    claimed = await claim(backend, OTHER, "send")
    assert [task.func_name for task in claimed] == ["send"]


async def test_who_knows_no_function_gets_nothing(backend: Backend) -> None:
    await put(backend, a_task(owner=None))
    await beat_of(backend, OTHER)
    assert await backend.claim(Claim(OTHER, frozenset())) == []


async def test_a_task_whose_hour_has_not_come_is_left_alone(backend: Backend) -> None:
    later, due = a_task(owner=None, run_at=now() + HOUR), a_task(owner=None, run_at=now() - SECOND)
    await put(backend, later, due)
    assert [task.task_id for task in await claim(backend)] == [due.task_id]


async def test_no_more_than_the_limit_is_claimed(backend: Backend) -> None:
    await put(backend, *tasks(5, owner=None))
    sizes = [len(await claim(backend, limit=2)) for _ in range(4)]
    assert sizes == [2, 2, 1, 0]


async def test_higher_priority_then_earlier_hour_then_smaller_id_goes_first(
    backend: Backend,
) -> None:
    hour = now() - HOUR
    in_order = [
        a_task(task_id="g", owner=None, priority=10, run_at=hour),
        a_task(task_id="f", owner=None, priority=9, run_at=hour - SECOND),
        a_task(task_id="e", owner=None, priority=9, run_at=hour),
        a_task(task_id="c", owner=None, priority=1, run_at=hour - MICROSECOND),
        a_task(task_id="a", owner=None, priority=1, run_at=hour),
        a_task(task_id="b", owner=None, priority=1, run_at=hour),
        a_task(task_id="d", owner=None, priority=-1, run_at=hour - HOUR),
    ]
    await put(backend, *in_order[::-1])
    claimed = [(await claim(backend, limit=1))[0].task_id for _ in in_order]
    assert claimed == [task.task_id for task in in_order]


async def test_one_claim_hands_out_in_order(backend: Backend) -> None:
    in_order = [a_task(task_id=f"task-{9 - p}", owner=None, priority=p) for p in (9, 5, 3, 1)]
    await put(backend, *in_order[::-1])
    assert [t.task_id for t in await claim(backend)] == [t.task_id for t in in_order]


async def test_a_claim_that_takes_something_takes_the_first_of_many(backend: Backend) -> None:
    await put(backend, *tasks(300, owner=None))
    await put(backend, a_task(task_id="urgent", owner=None, priority=5))
    (first,) = await claim(backend, limit=1)
    assert first.task_id == "urgent"


async def test_eight_claimers_share_two_thousand_tasks_without_overlap(backend: Backend) -> None:
    await put(backend, *tasks(2_000, owner=None))
    names = [f"claimer-{i}" for i in range(8)]
    await beat_of(backend, *names)
    async with several(backend, 8) as connections:
        shares = await asyncio.gather(
            *(_claim_all(own, name) for own, name in zip(connections, names, strict=True))
        )
    times = Counter(task_id for share in shares for task_id in share)
    assert len(times) == 2_000, f"{2_000 - len(times)} tasks were claimed by nobody"
    assert set(times.values()) == {1}, f"claimed twice: {[i for i, n in times.items() if n > 1]}"


async def _claim_all(backend: Backend, instance: str) -> list[str]:
    mine: list[str] = []
    while claimed := await backend.claim(Claim(instance, frozenset({FUNCTION}), limit=20)):
        assert {task.owner for task in claimed} == {instance}
        mine += [task.task_id for task in claimed]
        await asyncio.sleep(0)
    return mine


async def test_claims_and_inserts_do_not_keep_each_other_out(
    backend: Backend, second: Backend
) -> None:
    await beat_of(backend, ME, OTHER)
    records = tasks(100, owner=None)
    found: list[str] = []

    async def insert() -> None:
        for start in range(0, 100, 10):
            await backend.write(Batch(ME, inserts=records[start : start + 10]))
            await asyncio.sleep(0)

    async def take() -> None:
        while len(found) < 100:
            claimed = await second.claim(Claim(OTHER, frozenset({FUNCTION})))
            found.extend(task.task_id for task in claimed)
            await asyncio.sleep(0)

    async with asyncio.timeout(30):
        await asyncio.gather(insert(), take())
    assert sorted(found) == [task.task_id for task in records]


async def test_a_claimer_may_know_thousands_of_functions(backend: Backend) -> None:
    wanted = Claim(OTHER, frozenset(f"function_{n}" for n in range(10_000)))
    await put(backend, a_task(owner=None, run_at=now() + HOUR, func_name="function_1"))
    assert await backend.claim(wanted) == []
    mine, foreign = a_task(owner=None, func_name="function_7777"), a_task(owner=None)
    await put(backend, mine, foreign)
    assert [task.task_id for task in await backend.claim(wanted)] == [mine.task_id]
    assert await backend.claim(wanted) == []
