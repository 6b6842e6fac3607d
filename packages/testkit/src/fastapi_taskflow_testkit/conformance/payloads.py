"""Storing the arguments of tasks in other bytes."""

from __future__ import annotations

import pytest

from fastapi_taskflow_core.backends.base import Backend, PayloadChange
from fastapi_taskflow_core.records import TaskStatus

from ..builders import a_full_task, a_task, changed, ended, put, stored, update

OLD, NEW = b"\0old\nbytes\xff", b"new\n\0bytes\xfe" * 100


async def test_a_payload_is_replaced_and_nothing_else(backend: Backend, second: Backend) -> None:
    task = changed(a_full_task(), payload=OLD)
    await put(backend, task)
    assert await backend.replace_payloads([PayloadChange(task.task_id, OLD, NEW)]) == 1
    assert await stored(second, task) == changed(task, payload=NEW)


@pytest.mark.parametrize("status", [TaskStatus.FAILED, TaskStatus.INTERRUPTED])
async def test_that_of_a_finished_task_too(backend: Backend, status: TaskStatus) -> None:
    task = ended(a_task(payload=OLD), status)
    await put(backend, task)
    assert await backend.replace_payloads([PayloadChange(task.task_id, OLD, NEW)]) == 1
    assert (await stored(backend, task)).payload == NEW


async def test_only_the_payload_that_was_read_is_replaced(backend: Backend) -> None:
    task, without = a_task(payload=OLD), a_task()
    await put(backend, task, without)
    changes = [
        PayloadChange(task.task_id, OLD + b"!", NEW),
        PayloadChange(without.task_id, OLD, NEW),
        PayloadChange("nobody", OLD, NEW),
    ]
    assert await backend.replace_payloads(changes) == 0
    assert (await stored(backend, task)).payload == OLD
    assert (await stored(backend, without)).payload is None


async def test_many_are_replaced_at_once(backend: Backend) -> None:
    many = [a_task(payload=OLD + bytes([n])) for n in range(50)]
    await put(backend, *many)
    changes = [PayloadChange(task.task_id, task.payload or b"", NEW) for task in many]
    assert await backend.replace_payloads(changes) == 50
    assert await backend.replace_payloads(changes) == 0
    assert await backend.replace_payloads([]) == 0


async def test_its_owner_goes_on_writing(backend: Backend) -> None:
    task = a_task(payload=OLD)
    await put(backend, task)
    await backend.replace_payloads([PayloadChange(task.task_id, OLD, NEW)])
    done = changed(ended(task), payload=NEW)
    assert not (await update(backend, done)).refused
    assert await stored(backend, task) == done
