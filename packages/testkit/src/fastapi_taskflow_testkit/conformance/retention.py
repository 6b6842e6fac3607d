"""Deleting what is old: finished tasks alone, oldest first, with all that is theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fastapi_taskflow_core.backends.base import Backend, Written
from fastapi_taskflow_core.records import FINISHED, UNFINISHED, TaskRecord, TaskStatus

from ..builders import (
    HOUR,
    MICROSECOND,
    a_line,
    a_task,
    all_ids,
    ended,
    now,
    put,
    say,
    stored,
)


def _aged(hours: float, **changes: object) -> TaskRecord:
    """A task that finished so many hours ago."""
    return ended(a_task(created_at=now() - timedelta(hours=hours), **changes), seconds=0)


@pytest.mark.parametrize("status", sorted(FINISHED))
async def test_finished_tasks_go(backend: Backend, status: TaskStatus) -> None:
    await put(backend, ended(a_task(), status))
    assert await backend.delete(now() + HOUR, 10) == 1
    assert await all_ids(backend) == []


@pytest.mark.parametrize("status", sorted(UNFINISHED))
async def test_unfinished_tasks_never_go(backend: Backend, status: TaskStatus) -> None:
    old = now() - timedelta(days=400)
    task = a_task(created_at=old, start_time=old, end_time=old, status=status, owner=None)
    await put(backend, task)
    assert await backend.delete(now() + HOUR, 10) == 0
    assert await stored(backend, task) == task


async def test_a_rejected_task_that_never_started_goes_too(backend: Backend) -> None:
    await put(backend, a_task(status=TaskStatus.REJECTED, created_at=now() - HOUR))
    assert await backend.delete(now(), 10) == 1


async def test_only_what_finished_before_goes(backend: Backend) -> None:
    task = _aged(1)
    await put(backend, task)
    assert task.end_time is not None
    assert await backend.delete(task.end_time, 10) == 0
    assert await backend.delete(task.end_time + MICROSECOND, 10) == 1


async def test_what_was_created_long_ago_and_finished_just_now_stays(backend: Backend) -> None:
    task = ended(a_task(created_at=now() - 50 * HOUR), seconds=50 * 3600)
    await put(backend, task)
    assert await backend.delete(now() - HOUR, 10) == 0


async def test_the_oldest_go_first_and_no_more_than_the_limit(backend: Backend) -> None:
    records = [_aged(hours, task_id=f"{hours} hours") for hours in (3, 5, 1, 4, 2)]
    await put(backend, *records)
    assert await backend.delete(now(), 2) == 2
    assert sorted(await all_ids(backend)) == ["1 hours", "2 hours", "3 hours"]
    assert await backend.delete(now(), 2) == 2
    assert await all_ids(backend) == ["1 hours"]
    assert [await backend.delete(now(), 2) for _ in range(2)] == [1, 0]


async def test_a_deleted_task_takes_its_lines_tags_and_aliases_with_it(backend: Backend) -> None:
    task = _aged(1, idempotency_key="k", tags={"tenant": "acme"})
    alias = a_task(idempotency_key="k")
    await put(backend, task, alias)
    await say(backend, task.task_id, [a_line()])
    await backend.delete(now(), 10)
    for task_id in (task.task_id, alias.task_id):
        assert await backend.get(task_id) is None
        assert list(await backend.logs(task_id)) == []
    assert await all_ids(backend, tag="tenant") == []
    assert await put(backend, alias) == Written(), "the deleted task still has its alias"


async def test_many_tasks_go_at_once(backend: Backend) -> None:
    await put(backend, *(_aged(1) for _ in range(1_500)))
    assert await backend.delete(now(), 10_000) == 1_500
    assert await all_ids(backend) == []
