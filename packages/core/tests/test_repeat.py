"""Asking for a finished task again, and what is shown of its arguments."""

from __future__ import annotations

import asyncio

import pytest
from eventually import ended

from fastapi_taskflow_core import (
    FunctionUnknown,
    TaskManager,
    TaskNotFound,
    TaskStateError,
)
from fastapi_taskflow_core.backends.base import Batch


async def test_a_failed_task_runs_again_as_a_new_one_that_names_the_original(
    manager: TaskManager,
) -> None:
    got: list[tuple[int, str]] = []

    @manager.task()
    async def work(number: int, *, text: str) -> None:
        got.append((number, text))
        if len(got) == 1:
            raise ValueError

    tasks = manager.new_list()
    tasks.options()
    first = tasks.add_task(work, 7, text="seven", tags={"tenant": "acme"}, queue="mail", priority=3)
    await tasks.finish()
    second = await manager.retry(first)
    again, original = await ended(manager, second), await manager.history.get(first)
    assert got == [(7, "seven"), (7, "seven")]
    assert (original.status, again.status) == ("failed", "success")
    assert again.retry_of == first != second
    assert (again.tags, again.queue, again.priority) == ({"tenant": "acme"}, "mail", 3)


async def test_a_task_that_succeeded_is_not_repeated(manager: TaskManager) -> None:
    task_id = await manager.enqueue(asyncio.sleep, 0)
    await ended(manager, task_id)
    with pytest.raises(TaskStateError, match="cannot retry .* success"):
        await manager.retry(task_id)


async def test_an_unknown_task_is_not_repeated(manager: TaskManager) -> None:
    with pytest.raises(TaskNotFound, match="gone"):
        await manager.retry("gone")


async def test_a_task_of_an_unknown_function_is_not_repeated(manager: TaskManager) -> None:
    async def fails() -> None:
        raise ValueError

    task_id = await manager.enqueue(fails)
    await ended(manager, task_id)
    with pytest.raises(FunctionUnknown, match="fails"):
        await manager.retry(task_id)


async def test_a_task_whose_arguments_could_not_be_kept_is_not_repeated(
    manager: TaskManager,
) -> None:
    @manager.task()
    async def fails(value: object) -> None:
        raise ValueError

    task_id = await manager.enqueue(fails, object())
    await ended(manager, task_id)
    with pytest.raises(TaskStateError, match="without stored arguments"):
        await manager.retry(task_id)


async def test_arguments_are_shown_by_name_where_they_are_kept(manager: TaskManager) -> None:
    @manager.task()
    async def work(number: int, text: str = "none", *rest: int) -> None:
        """Nothing."""

    hidden = await ended(manager, await manager.enqueue(work, 1))
    manager.keep_arguments()
    shown = await ended(manager, await manager.enqueue(work, 7, "x" * 9_000, 8, 9))
    assert manager.arguments(hidden) is None
    arguments = manager.arguments(shown)
    assert arguments is not None
    assert (arguments["number"], arguments["rest"]) == ("7", "(8, 9)")
    assert len(arguments["text"]) == 4_096


async def test_arguments_that_cannot_be_read_say_so(manager: TaskManager) -> None:
    @manager.task()
    async def work(number: int) -> None:
        """Nothing."""

    manager.keep_arguments()
    task = await ended(manager, await manager.enqueue(work, 7))
    task.payload = b"rubbish"
    assert list(manager.arguments(task) or {}) == ["(unreadable)"]


async def test_arguments_that_no_longer_fit_the_function_are_shown_by_place(
    manager: TaskManager,
) -> None:
    @manager.task(name="work")
    async def before(one: int, two: int) -> None:
        """Nothing."""

    manager.keep_arguments()
    task = await ended(manager, await manager.enqueue(before, 1, 2))
    later = TaskManager()

    @later.task(name="work")
    async def after() -> None:
        """Nothing."""

    assert later.arguments(task) == {"args[0]": "1", "args[1]": "2"}


def test_batches_without_changes_are_empty() -> None:
    assert not Batch("here")
