"""Rows that nobody here wrote."""

from __future__ import annotations

from postgres_tools import run

from fastapi_taskflow_core.records import TaskStatus
from fastapi_taskflow_postgres import PostgresBackend
from fastapi_taskflow_testkit.builders import a_task, claim, put, stored


async def test_a_counter_at_its_end_fails_its_task_and_holds_up_no_other(
    backend: PostgresBackend, url: str, schema: str
) -> None:
    worn, sound = a_task(owner=None, priority=9), a_task(owner=None)
    await put(backend, worn, sound)
    full = f"UPDATE {schema}.taskflow_tasks SET epoch = 2147483647 WHERE task_id = '{worn.task_id}'"
    run(url, full)
    assert [task.task_id for task in await claim(backend)] == [sound.task_id]
    assert (await stored(backend, worn)).status is TaskStatus.FAILED
