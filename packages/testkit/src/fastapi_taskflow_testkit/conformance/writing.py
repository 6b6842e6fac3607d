"""Batches: inserts, updates and withdrawals, in whole and repeatable."""

from __future__ import annotations

import contextlib

from fastapi_taskflow_core.backends.base import Backend, Batch, RollupQuery, Written
from fastapi_taskflow_core.records import TaskStatus

from ..builders import (
    ME,
    OTHER,
    a_line,
    a_task,
    all_ids,
    changed,
    claim,
    ended,
    now,
    put,
    started,
    stored,
    tasks,
    update,
)


async def test_an_empty_batch_is_written(backend: Backend) -> None:
    assert await backend.write(Batch(ME)) == Written()


async def test_a_batch_that_is_applied_names_nothing(backend: Backend) -> None:
    assert await put(backend, *tasks(3)) == Written()


async def test_a_large_batch_is_applied_in_whole(backend: Backend) -> None:
    await put(backend, *tasks(2_500))
    changes = [ended(task) for task in tasks(2_500)]
    assert await update(backend, *changes) == Written()
    assert await backend.unfinished() == {}
    assert (await stored(backend, changes[-1])).status is TaskStatus.SUCCESS


async def test_other_connections_read_what_was_written(backend: Backend, second: Backend) -> None:
    task = a_task()
    await put(backend, task)
    assert (await stored(second, task)).status is TaskStatus.PENDING
    await update(second, started(task))
    assert (await stored(backend, task)).status is TaskStatus.RUNNING


async def test_a_batch_that_is_not_durable_can_be_read_at_once(
    backend: Backend, second: Backend
) -> None:
    task = a_task()
    await backend.write(Batch(ME, inserts=[task], durable=False))
    assert (await stored(second, task)).task_id == task.task_id


async def test_a_batch_with_something_that_cannot_be_stored_is_applied_in_whole_or_not_at_all(
    backend: Backend,
) -> None:
    good, known = tasks(2)
    await put(backend, known)
    naive = now().replace(tzinfo=None)
    bad = ended(a_task(task_id="bad"), end_time=naive)
    lines = [(good.task_id, a_line())]
    batch = Batch(ME, inserts=[good, bad], updates=[started(known)], logs=lines)
    with contextlib.suppress(Exception):
        await backend.write(batch)
    applied = {
        await backend.get(good.task_id) is not None,
        await backend.get(bad.task_id) is not None,
        (await stored(backend, known)).status is TaskStatus.RUNNING,
        bool(await backend.logs(good.task_id)),
        bool(await backend.rollups(RollupQuery("hour"))),
    }
    assert len(applied) == 1, "the batch was applied in part"


async def test_repeating_an_insert_changes_nothing(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    assert await put(backend, task) == Written()
    assert await stored(backend, task) == task
    assert await all_ids(backend) == [task.task_id]


async def test_repeating_the_insert_of_a_finished_task_is_no_news(backend: Backend) -> None:
    task = ended(a_task())
    await put(backend, task)
    assert await put(backend, task) == Written()


async def test_repeating_an_update_to_the_end_is_no_news(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    await update(backend, ended(task))
    assert await update(backend, ended(task)) == Written()


async def test_an_insert_of_a_stored_task_is_an_update(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    assert await put(backend, started(task)) == Written()
    assert (await stored(backend, task)).status is TaskStatus.RUNNING


async def test_an_insert_of_a_stored_task_that_is_another_instances_now_is_refused(
    backend: Backend,
) -> None:
    task = a_task()
    await put(backend, task)
    await update(backend, changed(task, owner=None))
    await claim(backend, OTHER)
    assert await put(backend, started(task)) == Written(refused=frozenset({task.task_id}))
    assert (await stored(backend, task)).owner == OTHER


async def test_an_update_can_release_the_task(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    await update(backend, changed(task, owner=None))
    assert (await stored(backend, task)).owner is None


async def test_a_withdrawn_task_is_gone(backend: Backend) -> None:
    task, other = tasks(2)
    await put(backend, task, other)
    batch = Batch(ME, withdrawn=[task], logs=[])
    assert await backend.write(batch) == Written()
    assert await backend.write(batch) == Written()
    assert await all_ids(backend) == [other.task_id]
    assert sum((await backend.unfinished()).values()) == 1


async def test_a_task_that_has_started_is_not_withdrawn(backend: Backend) -> None:
    task = a_task()
    await put(backend, started(task))
    await backend.write(Batch(ME, withdrawn=[task]))
    assert (await stored(backend, task)).status is TaskStatus.RUNNING


async def test_a_task_of_another_instance_is_not_withdrawn(backend: Backend) -> None:
    task = a_task(owner=OTHER)
    await put(backend, task, instance=OTHER)
    await backend.write(Batch(ME, withdrawn=[task]))
    await stored(backend, task)


async def test_a_task_of_another_epoch_is_not_withdrawn(backend: Backend) -> None:
    task = a_task(epoch=2)
    await put(backend, task)
    await backend.write(Batch(ME, withdrawn=[changed(task, epoch=1)]))
    await stored(backend, task)


async def test_what_was_read_is_not_tied_to_what_is_stored(backend: Backend) -> None:
    for task in (a_task(tags={"a": "1"}), ended(a_task(tags={"a": "1"}))):
        await put(backend, task)
        found = await stored(backend, task)
        assert found.tags is not None
        found.error = "changed"
        found.tags["a"] = "2"
        again = await stored(backend, task)
        assert (again.error, again.tags) == (None, {"a": "1"})
