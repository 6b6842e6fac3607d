"""Changes on their way to the backend."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fastapi_taskflow_core import LogEntry, TaskRecord, TaskStatus
from fastapi_taskflow_core.backends.base import Batch
from fastapi_taskflow_core.engine.buffer import Buffer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ME = "me"
LINE = LogEntry(1, NOON, 0, "info", "hello")


def a_task(number: int = 1, **changes: Any) -> TaskRecord:
    return replace(TaskRecord(f"task-{number}", "func", NOON, owner=ME), **changes)


def done(number: int = 1, **changes: Any) -> TaskRecord:
    return a_task(number, status=TaskStatus.SUCCESS, **changes)


def ids(batch: Batch) -> tuple[list[str], list[str]]:
    return [task.task_id for task in batch.inserts], [task.task_id for task in batch.updates]


def taken(buffer: Buffer) -> Batch:
    return buffer.take(lazy=True, durable=False)


@pytest.fixture
def buffer() -> Buffer:
    return Buffer(ME)


def test_changes_of_one_task_are_one_write(buffer: Buffer) -> None:
    task = a_task()
    buffer.put(task)
    task.status = TaskStatus.RUNNING
    buffer.put(task)
    task.status = TaskStatus.SUCCESS
    buffer.put(task)
    batch = taken(buffer)
    assert [each.status for each in batch.inserts] == ["success"]
    assert len(buffer) == 0


@pytest.mark.parametrize(
    ("task", "urgent"),
    [
        (a_task(), False),
        (a_task(status=TaskStatus.RUNNING), False),
        (a_task(persist=True), True),
        (a_task(idempotency_key="k"), True),
        (done(), True),
    ],
)
def test_what_was_promised_or_is_over_is_urgent(
    buffer: Buffer, task: TaskRecord, urgent: bool
) -> None:
    assert buffer.put(task) is urgent
    assert buffer.urgent is urgent
    assert len(buffer.take(lazy=False, durable=False).inserts) == urgent


def test_what_the_backend_has_is_updated(buffer: Buffer) -> None:
    buffer.put(a_task(persist=True))
    first = taken(buffer)
    buffer.written(first)
    buffer.put(done(persist=True))
    second = taken(buffer)
    assert ids(first) == (["task-1"], [])
    assert ids(second) == ([], ["task-1"])


def test_what_came_from_the_backend_is_updated(buffer: Buffer) -> None:
    buffer.adopt([a_task()])
    buffer.put(done())
    assert ids(taken(buffer)) == ([], ["task-1"])


def test_a_batch_does_not_change_with_the_task(buffer: Buffer) -> None:
    task = a_task(persist=True)
    buffer.put(task)
    batch = taken(buffer)
    task.status = TaskStatus.RUNNING
    assert batch.inserts[0].status is TaskStatus.PENDING


def test_a_batch_with_a_promise_is_durable_even_if_nobody_asked(buffer: Buffer) -> None:
    buffer.put(a_task(1))
    assert not taken(buffer).durable
    buffer.put(a_task(2, persist=True))
    assert taken(buffer).durable


def test_what_is_given_back_comes_first_again(buffer: Buffer) -> None:
    buffer.put(done(1))
    buffer.log("task-1", LINE)
    failed = taken(buffer)
    buffer.put(done(2))
    buffer.log("task-2", LINE)
    buffer.give_back(failed)
    again = taken(buffer)
    assert ids(again) == (["task-1", "task-2"], [])
    assert [task_id for task_id, _ in again.logs] == ["task-1", "task-2"]


def test_a_newer_change_is_kept_when_the_older_one_is_given_back(buffer: Buffer) -> None:
    buffer.put(a_task(persist=True))
    failed = taken(buffer)
    buffer.put(done(persist=True))
    buffer.give_back(failed)
    assert [task.status for task in taken(buffer).inserts] == ["success"]


def test_what_the_backend_never_saw_is_withdrawn_by_not_writing_it(buffer: Buffer) -> None:
    task = a_task(persist=True)
    buffer.put(task)
    assert not buffer.withdraw(task)
    assert not taken(buffer)


@pytest.mark.parametrize("answered", [True, False])
def test_what_the_backend_may_have_is_withdrawn_there(buffer: Buffer, answered: bool) -> None:
    task = a_task(persist=True)
    buffer.put(task)
    batch = taken(buffer)
    if answered:
        buffer.written(batch)
        assert buffer.withdraw(task)
    else:
        assert buffer.withdraw(task)
        buffer.give_back(batch)
    second = taken(buffer)
    assert ids(second) == ([], [])
    assert [each.task_id for each in second.withdrawn] == ["task-1"]


def test_a_withdrawal_that_failed_is_tried_again(buffer: Buffer) -> None:
    task = a_task(persist=True)
    buffer.put(task)
    buffer.written(taken(buffer))
    buffer.withdraw(task)
    buffer.give_back(taken(buffer))
    assert [each.task_id for each in taken(buffer).withdrawn] == ["task-1"]


def test_a_withdrawn_task_is_forgotten_for_good(buffer: Buffer) -> None:
    task = a_task(persist=True)
    buffer.put(task)
    failed = taken(buffer)
    buffer.withdraw(task)
    buffer.give_back(failed)
    buffer.written(taken(buffer))
    assert not buffer.withdraw(task)


def test_unpromised_history_is_shed_after_log_lines_oldest_first(buffer: Buffer) -> None:
    for number in range(4):
        buffer.put(done(number))
        buffer.log(f"task-{number}", LINE)
    buffer.put(done(4, persist=True))
    buffer.put(a_task(5, persist=True))
    assert buffer.shed(4) == 6
    batch = taken(buffer)
    assert ids(batch)[0] == ["task-2", "task-3", "task-4", "task-5"]
    assert not batch.logs


def test_what_holds_much_text_weighs_more(buffer: Buffer) -> None:
    for number in range(4):
        buffer.put(done(number, error="x" * 5_000, stacktrace="y" * 5_000))
    buffer.put(done(4))
    assert buffer.shed(10) == 2
    assert ids(taken(buffer))[0] == ["task-2", "task-3", "task-4"]


def test_nothing_promised_is_ever_shed(buffer: Buffer) -> None:
    for number in range(5):
        buffer.put(a_task(number, persist=True))
    assert buffer.shed(0) == 0
    assert len(buffer) == 5


def test_nothing_is_shed_while_there_is_room(buffer: Buffer) -> None:
    buffer.put(done())
    assert buffer.shed(1) == 0
    assert len(buffer) == 1


def test_the_end_of_a_task_that_the_backend_has_is_not_shed(buffer: Buffer) -> None:
    buffer.put(a_task())
    buffer.written(taken(buffer))
    buffer.put(done())
    assert buffer.shed(0) == 0
