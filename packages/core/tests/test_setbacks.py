"""Tasks that do not get to their end keep what they were called with, or go to others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from parts import Parts, work

from fastapi_taskflow_core import TaskStatus
from fastapi_taskflow_core.engine.feed import Change, Happening
from fastapi_taskflow_core.engine.live import LiveTask

Setback = Callable[[Parts], LiveTask]


def fail(parts: Parts) -> LiveTask:
    task = parts.running()
    parts.setbacks.fail(task, ValueError("no"))
    return task


def interrupt(parts: Parts) -> LiveTask:
    task = parts.running()
    parts.setbacks.interrupt(task)
    return task


def give_away(parts: Parts) -> LiveTask:
    task = parts.waiting()
    parts.setbacks.give_away(task)
    return task


def reject(parts: Parts) -> LiveTask:
    task = parts.new(queue="mail")
    parts.setbacks.reject(task)
    return task


@pytest.mark.parametrize(
    ("setback", "status", "error"),
    [
        (fail, "failed", "ValueError: no"),
        (interrupt, "interrupted", "the process stopped while this task ran"),
        (give_away, "interrupted", "the process stopped before this task could start"),
        (reject, "rejected", "queue 'mail' was full"),
    ],
)
async def test_it_can_be_asked_for_again(setback: Setback, status: str, error: str) -> None:
    parts = Parts()
    record = setback(parts).record
    assert (record.status, record.error) == (status, error)
    assert record.payload is not None
    assert parts.codec.decode(record.task_id, record.func_name, work, record.payload) == ((7,), {})
    assert len(parts.live) == 0
    await parts.journal.flush()
    stored = await parts.store.get(record.task_id)
    assert stored is not None
    assert (stored.status, stored.payload) == (status, record.payload)


async def test_a_task_that_found_no_room_is_heard_of_as_new_before() -> None:
    parts, heard = Parts(), list[tuple[TaskStatus, TaskStatus | None]]()

    def hear(happening: Happening) -> None:
        assert isinstance(happening, Change)
        heard.append((happening.task.status, happening.previous))

    parts.feed.subscribe(hear)
    reject(parts)
    assert heard == [("pending", None), ("rejected", "pending")]


async def test_arguments_that_cannot_be_stored_do_not_hold_up_its_end() -> None:
    parts = Parts()
    task = parts.new(work, object())
    parts.setbacks.reject(task)
    assert (task.record.status, task.record.payload) == ("rejected", None)


async def test_a_function_that_cannot_be_found_again_keeps_no_arguments() -> None:
    parts = Parts()
    task = parts.new()
    task.function = parts.registry.find(lambda number: None)
    parts.setbacks.reject(task)
    assert (task.record.status, task.record.payload) == ("rejected", None)


async def test_a_stored_task_that_waits_is_anybodys() -> None:
    parts = Parts()
    task = parts.waiting(persist=True)
    parts.setbacks.give_away(task)
    assert (task.record.status, task.record.owner, task.gone) == ("pending", None, True)
    assert len(parts.live) == 0


async def test_a_stored_task_whose_thread_still_runs_is_kept_from_others() -> None:
    parts = Parts()
    task = parts.waiting(persist=True)
    task.leftover = asyncio.get_running_loop().create_future()
    parts.setbacks.give_away(task)
    assert (task.record.owner is not None, task.gone) == (True, False)
    assert list(parts.live) == [task]


@pytest.mark.parametrize(
    ("persist", "twice", "status"),
    [
        (True, True, "pending"),
        (True, False, "interrupted"),
        (False, True, "interrupted"),
    ],
)
async def test_what_was_cut_off_is_anybodys_if_it_is_stored_and_may_run_twice(
    persist: bool, twice: bool, status: str
) -> None:
    parts = Parts()
    task = parts.running(persist=persist, requeue_on_interrupt=twice)
    parts.setbacks.interrupt(task)
    assert task.record.status == status
    assert (task.record.owner is None) is (status == "pending")
    assert len(parts.live) == 0
