"""Cancellation from anywhere: at once where nobody owns the task, else through its owner."""

from __future__ import annotations

import asyncio

import pytest

from fastapi_taskflow_core.backends.base import Backend, Claim
from fastapi_taskflow_core.records import FINISHED, TaskStatus

from ..builders import (
    FUNCTION,
    ME,
    OTHER,
    a_beat,
    a_task,
    beat_of,
    changed,
    claim,
    die,
    ended,
    now,
    put,
    started,
    stored,
    tasks,
    update,
)


async def test_a_waiting_task_without_owner_is_cancelled_at_once(
    backend: Backend, second: Backend
) -> None:
    task, moment = a_task(owner=None), now()
    await put(backend, task)
    answer = await second.request_cancel(task.task_id, moment)
    assert answer == await stored(backend, task)
    assert (answer.status, answer.end_time) == (TaskStatus.CANCELLED, moment)
    assert await claim(backend) == []
    assert await backend.unfinished() == {}


async def test_a_delayed_task_is_cancelled_at_once(backend: Backend) -> None:
    task = a_task(owner=None, run_at=now())
    await put(backend, task)
    answer = await backend.request_cancel(task.task_id, now())
    assert answer is not None
    assert answer.status is TaskStatus.CANCELLED


@pytest.mark.parametrize("status", [TaskStatus.PENDING, TaskStatus.RUNNING])
async def test_an_owned_task_is_flagged_for_its_owner(
    backend: Backend, second: Backend, status: TaskStatus
) -> None:
    task, other = a_task(status=status), a_task()
    await put(backend, task, other)
    answer = await second.request_cancel(task.task_id, now())
    assert answer == changed(task, cancel_requested=True)
    assert await stored(backend, task) == answer
    assert (await backend.beat(a_beat(ME))).cancels == {task.task_id}
    assert (await backend.beat(a_beat(OTHER))).cancels == frozenset()


@pytest.mark.parametrize("status", sorted(FINISHED))
async def test_a_finished_task_stays_as_it_is(backend: Backend, status: TaskStatus) -> None:
    task = ended(a_task(), status)
    await put(backend, task)
    assert await backend.request_cancel(task.task_id, now()) == task
    assert await stored(backend, task) == task


async def test_cancelling_what_is_not_there_answers_none(backend: Backend) -> None:
    assert await backend.request_cancel("no such task", now()) is None


async def test_cancelling_twice_is_cancelling_once(backend: Backend) -> None:
    task = a_task(owner=None)
    await put(backend, task)
    first = await backend.request_cancel(task.task_id, now())
    assert await backend.request_cancel(task.task_id, now()) == first


async def test_an_owner_that_does_not_know_does_not_undo_the_request(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    await backend.request_cancel(task.task_id, now())
    assert not (await update(backend, started(task))).refused
    found = await stored(backend, task)
    assert (found.status, found.cancel_requested) == (TaskStatus.RUNNING, True)
    assert (await backend.beat(a_beat(ME))).cancels == {task.task_id}


async def test_a_task_that_has_finished_is_no_longer_asked_for(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    await backend.request_cancel(task.task_id, now())
    await update(backend, ended(task))
    assert (await backend.beat(a_beat(ME))).cancels == frozenset()


async def test_the_next_owner_learns_of_the_request(backend: Backend) -> None:
    task = a_task(persist=True)
    await put(backend, task)
    await backend.request_cancel(task.task_id, now())
    await die(backend, ME)
    (taken,) = await claim(backend, OTHER)
    assert taken.cancel_requested
    assert (await backend.beat(a_beat(OTHER))).cancels == {task.task_id}


async def test_of_cancel_and_claim_exactly_one_wins(backend: Backend, second: Backend) -> None:
    records = tasks(300, owner=None)
    await put(backend, *records)
    await beat_of(backend, OTHER)
    claimed: dict[str, bool] = {}

    async def take() -> None:
        while some := await backend.claim(Claim(OTHER, frozenset({FUNCTION}), limit=1)):
            claimed.update((task.task_id, task.cancel_requested) for task in some)
            await asyncio.sleep(0)

    async def cancel() -> set[str]:
        cancelled = set()
        for task in reversed(records):
            answer = await second.request_cancel(task.task_id, now())
            assert answer is not None
            if answer.status is TaskStatus.CANCELLED:
                cancelled.add(task.task_id)
            await asyncio.sleep(0)
        return cancelled

    _, cancelled = await asyncio.gather(take(), cancel())
    assert cancelled.isdisjoint(claimed), "tasks were both cancelled and handed out"
    assert cancelled | claimed.keys() == {task.task_id for task in records}
    asked = (await backend.beat(a_beat(OTHER))).cancels
    assert asked == claimed.keys(), "owners did not learn that their tasks were to be cancelled"


async def test_of_cancel_and_start_neither_is_lost(backend: Backend, second: Backend) -> None:
    records = tasks(200)
    await put(backend, *records)

    async def start() -> None:
        for task in records:
            assert not (await update(backend, started(task))).refused
            await asyncio.sleep(0)

    async def cancel() -> None:
        for task in reversed(records):
            await second.request_cancel(task.task_id, now())
            await asyncio.sleep(0)

    await asyncio.gather(start(), cancel())
    for task in records:
        found = await stored(backend, task)
        assert (found.status, found.cancel_requested) == (TaskStatus.RUNNING, True)
