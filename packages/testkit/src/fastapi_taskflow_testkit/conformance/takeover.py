"""What a dead instance owned is put in order and handed on."""

from __future__ import annotations

import pytest

from fastapi_taskflow_core.backends.base import Backend
from fastapi_taskflow_core.records import TaskStatus

from ..builders import (
    ME,
    OTHER,
    a_task,
    all_ids,
    beat_of,
    claim,
    die,
    ended,
    put,
    started,
    stored,
    tasks,
    update,
)


@pytest.mark.parametrize("requeue", [False, True])
async def test_what_waited_is_taken_over_if_it_is_persisted(
    backend: Backend, second: Backend, requeue: bool
) -> None:
    task = a_task(persist=True, requeue_on_interrupt=requeue, payload=b"arguments")
    await put(backend, task)
    await die(backend, ME)
    (taken,) = await claim(second, OTHER)
    assert (taken.task_id, taken.owner, taken.epoch) == (task.task_id, OTHER, task.epoch + 1)
    assert (taken.payload, taken.crashes) == (b"arguments", 0)


@pytest.mark.parametrize("requeue", [False, True])
async def test_what_waited_is_interrupted_if_it_is_not_persisted(
    backend: Backend, requeue: bool
) -> None:
    task = a_task(persist=False, requeue_on_interrupt=requeue)
    await put(backend, task)
    await die(backend, ME)
    assert await claim(backend, OTHER) == []
    found = await stored(backend, task)
    assert found.status is TaskStatus.INTERRUPTED
    assert found.end_time is not None
    assert found.error


@pytest.mark.parametrize("persist", [False, True])
async def test_what_ran_is_taken_over_if_it_may_run_again(backend: Backend, persist: bool) -> None:
    task = started(a_task(persist=persist, requeue_on_interrupt=True))
    await put(backend, task)
    await die(backend, ME)
    (taken,) = await claim(backend, OTHER)
    assert (taken.status, taken.owner, taken.crashes) == (TaskStatus.PENDING, OTHER, 1)
    assert taken.epoch > task.epoch


async def test_an_attempt_that_was_cut_off_stays_on_record(backend: Backend) -> None:
    task = started(a_task(requeue_on_interrupt=True))
    await put(backend, task)
    await die(backend, ME)
    (taken,) = await claim(backend, OTHER)
    (cut,) = taken.attempts
    assert (cut.number, cut.started_at) == (0, task.start_time)
    assert cut.ended_at is not None
    assert cut.error
    assert taken.start_time is None


@pytest.mark.parametrize("persist", [False, True])
async def test_what_ran_is_interrupted_if_it_may_not_run_again(
    backend: Backend, persist: bool
) -> None:
    task = started(a_task(persist=persist, requeue_on_interrupt=False))
    await put(backend, task)
    await die(backend, ME)
    assert await claim(backend, OTHER) == []
    found = await stored(backend, task)
    assert found.status is TaskStatus.INTERRUPTED
    assert found.start_time == task.start_time
    assert found.end_time is not None


async def test_nothing_is_taken_from_a_living_owner(backend: Backend) -> None:
    records = [a_task(persist=True), started(a_task(requeue_on_interrupt=True))]
    await put(backend, *records)
    await beat_of(backend, ME)
    assert await claim(backend, OTHER) == []
    assert [await stored(backend, task) for task in records] == records


async def test_a_new_beat_in_time_keeps_the_tasks(backend: Backend) -> None:
    await put(backend, a_task(persist=True))
    await die(backend, ME)
    await beat_of(backend, ME)
    assert await claim(backend, OTHER) == []


async def test_the_tasks_of_who_left_are_taken_over(backend: Backend, second: Backend) -> None:
    waiting, running = a_task(persist=True), started(a_task())
    await beat_of(backend, ME)
    await put(backend, waiting, running)
    await backend.leave(ME)
    assert [task.task_id for task in await claim(second, OTHER)] == [waiting.task_id]
    assert (await stored(backend, running)).status is TaskStatus.INTERRUPTED


async def test_a_task_in_which_its_process_died_too_often_has_failed(backend: Backend) -> None:
    task = started(a_task(requeue_on_interrupt=True))
    await put(backend, task)
    owner = ME
    for crash, heir in enumerate(("heir-1", "heir-2"), 1):
        await die(backend, owner)
        (taken,) = await claim(backend, heir)
        assert taken.crashes == crash
        await update(backend, started(taken), instance=heir)
        owner = heir
    await die(backend, owner)
    assert await claim(backend, OTHER) == []
    found = await stored(backend, task)
    assert (found.status, found.crashes) == (TaskStatus.FAILED, 3)
    assert found.end_time is not None
    assert found.error, "the task does not say why it failed"


async def test_one_crash_is_enough_if_the_claimer_says_so(backend: Backend) -> None:
    task = started(a_task(requeue_on_interrupt=True))
    await put(backend, task)
    await die(backend, ME)
    assert await claim(backend, OTHER, max_crashes=1) == []
    assert (await stored(backend, task)).status is TaskStatus.FAILED


async def test_tasks_of_functions_the_claimer_does_not_know_are_put_in_order_too(
    backend: Backend,
) -> None:
    running, waiting = started(a_task(func_name="lost")), a_task(func_name="lost", persist=True)
    await put(backend, running, waiting)
    await die(backend, ME)
    assert await claim(backend, OTHER) == []
    assert (await stored(backend, running)).status is TaskStatus.INTERRUPTED
    assert [task.task_id for task in await claim(backend, OTHER, "lost")] == [waiting.task_id]


async def test_finished_tasks_of_the_dead_stay_as_they_are(backend: Backend) -> None:
    task = ended(a_task())
    await put(backend, task)
    await die(backend, ME)
    await claim(backend, OTHER)
    assert await stored(backend, task) == task


async def test_everything_of_a_dead_instance_is_put_in_order(backend: Backend) -> None:
    await put(backend, *tasks(1_200, persist=True))
    await put(backend, *(started(a_task()) for _ in range(600)))
    await die(backend, ME)
    claimed = await claim(backend, OTHER, limit=2_000)
    assert len(claimed) == 1_200
    assert len(await all_ids(backend, statuses=frozenset({TaskStatus.INTERRUPTED}))) == 600
