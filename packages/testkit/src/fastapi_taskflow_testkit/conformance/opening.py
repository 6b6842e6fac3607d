"""Opening and closing."""

from __future__ import annotations

from fastapi_taskflow_core.backends.base import Backend

from ..builders import a_task, put, stored


async def test_opening_twice_is_opening_once(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    await backend.open()
    assert (await stored(backend, task)).task_id == task.task_id


async def test_closing_is_safe_before_opening_and_twice(backend: Backend) -> None:
    another = backend.another()
    await another.close()
    await another.open()
    await another.close()
    await another.close()


async def test_closing_one_connection_leaves_the_others_open(
    backend: Backend, second: Backend
) -> None:
    await second.close()
    task = a_task()
    await put(backend, task)
    assert (await stored(backend, task)).task_id == task.task_id


async def test_what_was_written_is_there_after_closing_and_opening_again(
    backend: Backend,
) -> None:
    task = a_task()
    await put(backend, task)
    await backend.close()
    await backend.open()
    assert (await stored(backend, task)).task_id == task.task_id


async def test_a_new_backend_is_empty(backend: Backend) -> None:
    assert await backend.get("no such task") is None
    assert await backend.unfinished() == {}
    assert await backend.instances() == []
