"""Tasks that wait for their hour under a key."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from fastapi_taskflow_core.backends.base import Backend
from fastapi_taskflow_core.backends.scheduling import Turn
from fastapi_taskflow_core.records import TaskRecord, TaskStatus

from ..builders import HOUR, ME, OTHER, a_task, claim, now

SOON = now() + 2 * HOUR
"""One moment for several."""


def a_later_task(hours: float = 1) -> TaskRecord:
    """A task that waits for its hour."""
    return a_task(owner=None, persist=True, run_at=now() + hours * HOUR)


async def test_what_waits_under_a_key_is_listed_soonest_first(
    backend: Backend, second: Backend
) -> None:
    for key, hours in (("c", 3), ("a", 1), ("b", 2)):
        assert await backend.put_later(key, a_later_task(hours), now()) is None
    waiting = await second.later()
    assert [it.run_key for it in waiting] == ["a", "b", "c"]
    assert [it.task.task_id for it in await second.later(limit=1)] == [waiting[0].task.task_id]


async def test_what_waits_is_read_page_by_page(backend: Backend, second: Backend) -> None:
    made = [a_later_task(1), *(replace(a_later_task(), run_at=SOON) for _ in range(5))]
    for number, task in enumerate((*made, a_later_task(4))):
        await backend.put_later(f"k-{number}", task, now())
    whole = await second.later()
    pages, turn = [], None
    while page := await second.later(limit=2, after=turn):
        turn = Turn.of(page[-1].task)
        pages.append(page)
    assert [it for page in pages for it in page] == whole
    assert [len(page) for page in pages] == [2, 2, 2, 1]


async def test_a_page_goes_on_from_a_task_that_no_longer_waits(backend: Backend) -> None:
    for number in range(4):
        await backend.put_later(f"k-{number}", replace(a_later_task(), run_at=SOON), now())
    first, gone, *rest = await backend.later()
    await backend.drop_later(gone.run_key, now())
    assert await backend.later(after=Turn.of(gone.task)) == rest
    assert await backend.later(before=SOON, after=Turn.of(first.task)) == []


async def test_what_is_due_later_can_be_left_out(backend: Backend) -> None:
    for key, hours in (("a", 1), ("b", 3)):
        await backend.put_later(key, a_later_task(hours), now())
    assert [it.run_key for it in await backend.later(before=now() + 2 * HOUR)] == ["a"]


async def test_the_same_key_replaces(backend: Backend, second: Backend) -> None:
    first, other = a_later_task(), a_later_task(2)
    await backend.put_later("k", first, now())
    assert await second.put_later("k", other, now()) == first.task_id
    assert [it.task.task_id for it in await backend.later()] == [other.task_id]
    replaced = await backend.get(first.task_id)
    assert replaced is not None
    assert replaced.status is TaskStatus.CANCELLED


async def test_storing_the_same_task_twice_is_storing_it_once(backend: Backend) -> None:
    task = a_later_task()
    assert await backend.put_later("k", task, now()) is None
    assert await backend.put_later("k", task, now()) is None
    assert [it.task.task_id for it in await backend.later()] == [task.task_id]


async def test_of_many_who_put_one_key_one_task_is_left(backend: Backend, second: Backend) -> None:
    made = [a_later_task() for _ in range(32)]
    replaced = await asyncio.gather(
        *((backend, second)[i % 2].put_later("k", task, now()) for i, task in enumerate(made))
    )
    (left,) = await backend.later()
    gone = {task.task_id for task in made} - {left.task.task_id}
    assert sorted(filter(None, replaced)) == sorted(gone)


@pytest.mark.parametrize("other", ["K", "k ", "\u0138", "k" * 10_000, "\U0001f600"])
async def test_run_keys_differ_by_every_byte(backend: Backend, other: str) -> None:
    await backend.put_later("k", a_later_task(), now())
    assert await backend.put_later(other, a_later_task(), now()) is None
    assert {it.run_key for it in await backend.later()} == {"k", other}


async def test_dropping_a_key_cancels_what_waits(backend: Backend, second: Backend) -> None:
    task = a_later_task()
    await backend.put_later("k", task, now())
    dropped = await second.drop_later("k", now())
    assert dropped is not None
    assert (dropped.task_id, dropped.status) == (task.task_id, TaskStatus.CANCELLED)
    assert await backend.later() == []
    assert await backend.drop_later("k", now()) is None


async def test_what_was_claimed_is_neither_dropped_nor_replaced(
    backend: Backend, second: Backend
) -> None:
    task = a_later_task(-1)
    await backend.put_later("k", task, now())
    assert len(await claim(second, OTHER)) == 1
    assert await backend.later() == []
    assert await backend.put_later("k", a_later_task(), now()) is None
    claimed = await backend.get(task.task_id)
    assert claimed is not None
    assert (claimed.status, claimed.owner) == (TaskStatus.PENDING, OTHER)


async def test_a_task_that_is_due_is_claimed_by_one(backend: Backend, second: Backend) -> None:
    await backend.put_later("k", a_later_task(-1), now())
    assert len(await claim(backend, ME)) + len(await claim(second, OTHER)) == 1
