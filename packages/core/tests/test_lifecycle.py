"""Every event either moves a task to the one right status, or changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fastapi_taskflow_core import IllegalTransition, TaskRecord, TaskStatus
from fastapi_taskflow_core.lifecycle import Event, transition

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

MOVES = {
    (TaskStatus.PENDING, Event.START): TaskStatus.RUNNING,
    (TaskStatus.PENDING, Event.FAIL): TaskStatus.FAILED,
    (TaskStatus.PENDING, Event.CANCEL): TaskStatus.CANCELLED,
    (TaskStatus.PENDING, Event.INTERRUPT): TaskStatus.INTERRUPTED,
    (TaskStatus.PENDING, Event.REJECT): TaskStatus.REJECTED,
    (TaskStatus.RUNNING, Event.SUCCEED): TaskStatus.SUCCESS,
    (TaskStatus.RUNNING, Event.FAIL): TaskStatus.FAILED,
    (TaskStatus.RUNNING, Event.RETRY): TaskStatus.PENDING,
    (TaskStatus.RUNNING, Event.CANCEL): TaskStatus.CANCELLED,
    (TaskStatus.RUNNING, Event.INTERRUPT): TaskStatus.INTERRUPTED,
    (TaskStatus.RUNNING, Event.REQUEUE): TaskStatus.PENDING,
}
EVERY = [(status, event) for status in TaskStatus for event in Event]


def a_task(status: TaskStatus) -> TaskRecord:
    started = NOON if status is TaskStatus.RUNNING else None
    return TaskRecord("id", "func", NOON, status, started)


@pytest.mark.parametrize(("status", "event"), [pair for pair in EVERY if pair in MOVES])
def test_an_event_moves_the_task(status: TaskStatus, event: Event) -> None:
    task = a_task(status)
    transition(task, event, NOON + SECOND)
    assert task.status is MOVES[status, event]
    assert (task.end_time is not None) == task.status.finished


@pytest.mark.parametrize(("status", "event"), [pair for pair in EVERY if pair not in MOVES])
def test_any_other_event_is_refused_and_changes_nothing(status: TaskStatus, event: Event) -> None:
    task = a_task(status)
    before = task.copy()
    with pytest.raises(IllegalTransition, match=f"id is {status}: it cannot {event}"):
        transition(task, event, NOON + SECOND)
    assert task == before


def test_a_retry_keeps_the_attempt_and_counts_it() -> None:
    task = a_task(TaskStatus.RUNNING)
    task.error = "ValueError: no"
    transition(task, Event.RETRY, NOON + SECOND)
    assert (task.retries_used, task.start_time, task.duration) == (1, None, None)
    (attempt,) = task.attempts
    assert (attempt.number, attempt.duration, attempt.error) == (0, 1.0, "ValueError: no")


def test_a_task_that_is_put_back_has_used_no_retry() -> None:
    task = a_task(TaskStatus.RUNNING)
    transition(task, Event.REQUEUE, NOON + SECOND)
    assert task.retries_used == 0
    assert [attempt.error for attempt in task.attempts] == ["interrupted"]


def test_a_start_forgets_the_error_and_the_hour_of_the_attempt_before() -> None:
    task = a_task(TaskStatus.PENDING)
    task.run_at, task.error, task.stacktrace = NOON, "ValueError: no", "Traceback"
    transition(task, Event.START, NOON)
    assert task.start_time == NOON
    assert not (task.run_at or task.error or task.stacktrace)


def test_only_the_latest_fifty_attempts_are_kept() -> None:
    task = a_task(TaskStatus.PENDING)
    for _ in range(60):
        transition(task, Event.START, NOON)
        transition(task, Event.RETRY, NOON)
    assert [attempt.number for attempt in task.attempts] == list(range(10, 60))
