"""Only the owner changes a task, only at its epoch, and only until it is finished."""

from __future__ import annotations

import pytest

from fastapi_taskflow_core.backends.base import Backend, Batch, Written
from fastapi_taskflow_core.records import FINISHED, TaskRecord, TaskStatus

from ..builders import (
    ME,
    OTHER,
    SECOND,
    a_task,
    changed,
    claim,
    die,
    ended,
    put,
    started,
    stored,
    tasks,
    update,
)


async def _assert_refused(backend: Backend, task: TaskRecord, instance: str = ME) -> None:
    before = await stored(backend, task)
    written = await update(backend, task, instance=instance)
    assert written == Written(refused=frozenset({task.task_id})), "the update was not refused"
    assert await stored(backend, task) == before, "a refused update changed the task"


async def test_an_update_by_another_instance_is_refused(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    await _assert_refused(backend, started(task), OTHER)


async def test_an_update_of_a_task_without_owner_is_refused(backend: Backend) -> None:
    task = a_task(owner=None)
    await put(backend, task)
    await _assert_refused(backend, started(task, owner=ME))


@pytest.mark.parametrize("epoch", [1, 3])
async def test_an_update_at_another_epoch_is_refused(backend: Backend, epoch: int) -> None:
    task = a_task(epoch=2)
    await put(backend, task)
    await _assert_refused(backend, started(task, epoch=epoch))


@pytest.mark.parametrize("status", sorted(FINISHED))
async def test_a_finished_task_takes_no_update(backend: Backend, status: TaskStatus) -> None:
    task = ended(a_task(), status)
    await put(backend, task)
    for other in sorted(set(TaskStatus) - {status}):
        await _assert_refused(backend, changed(task, status=other))


async def test_finishing_again_at_another_time_is_refused(backend: Backend) -> None:
    task = ended(a_task())
    await put(backend, task)
    assert task.end_time is not None
    await _assert_refused(backend, changed(task, end_time=task.end_time + SECOND))


async def test_finishing_again_at_another_epoch_is_refused(backend: Backend) -> None:
    task = ended(a_task(epoch=2))
    await put(backend, task)
    await _assert_refused(backend, changed(task, epoch=1))


async def test_an_update_of_a_task_that_is_not_there_is_refused(backend: Backend) -> None:
    task = a_task()
    assert await update(backend, task) == Written(refused=frozenset({task.task_id}))
    assert await backend.get(task.task_id) is None


async def test_exactly_the_refused_are_named_and_the_rest_is_applied(backend: Backend) -> None:
    mine, foreign, gone, over, new = tasks(5)
    await put(backend, mine, ended(over, TaskStatus.FAILED))
    await put(backend, changed(foreign, owner=OTHER), instance=OTHER)
    written = await backend.write(
        Batch(
            ME,
            inserts=[new],
            updates=[started(mine), started(foreign), started(gone), ended(over)],
        )
    )
    assert written == Written(refused=frozenset({t.task_id for t in (foreign, gone, over)}))
    assert (await stored(backend, mine)).status is TaskStatus.RUNNING
    assert (await stored(backend, new)).status is TaskStatus.PENDING
    assert (await stored(backend, over)).status is TaskStatus.FAILED


async def test_who_was_taken_for_dead_cannot_write_what_another_has_now(backend: Backend) -> None:
    task = a_task(persist=True, requeue_on_interrupt=True)
    await put(backend, started(task))
    await die(backend, ME)
    (taken,) = await claim(backend, OTHER)
    await _assert_refused(backend, ended(started(task)))
    mine = ended(taken, TaskStatus.FAILED)
    assert await update(backend, mine, instance=OTHER) == Written()
    assert (await stored(backend, task)).status is TaskStatus.FAILED


async def test_a_task_that_came_back_to_its_first_owner_has_another_epoch(
    backend: Backend,
) -> None:
    task = a_task()
    await put(backend, task)
    await update(backend, changed(task, owner=None))
    await claim(backend, ME)
    await _assert_refused(backend, started(task))
