"""The life of a task. This is the only place where a status changes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from .errors import IllegalTransition
from .records import Attempt, TaskRecord, TaskStatus

_KEPT_ATTEMPTS = 50


class Event(StrEnum):
    """What can happen to a task, in the words of an error message."""

    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    RETRY = "wait for a retry"
    CANCEL = "be cancelled"
    INTERRUPT = "be interrupted"
    REQUEUE = "be put back"
    REJECT = "be rejected"


_WAITING = frozenset({TaskStatus.PENDING})
_RUNNING = frozenset({TaskStatus.RUNNING})
_LAW: dict[Event, tuple[frozenset[TaskStatus], TaskStatus]] = {
    Event.START: (_WAITING, TaskStatus.RUNNING),
    Event.SUCCEED: (_RUNNING, TaskStatus.SUCCESS),
    Event.FAIL: (_WAITING | _RUNNING, TaskStatus.FAILED),
    Event.RETRY: (_RUNNING, TaskStatus.PENDING),
    Event.CANCEL: (_WAITING | _RUNNING, TaskStatus.CANCELLED),
    Event.INTERRUPT: (_WAITING | _RUNNING, TaskStatus.INTERRUPTED),
    Event.REQUEUE: (_RUNNING, TaskStatus.PENDING),
    Event.REJECT: (_WAITING, TaskStatus.REJECTED),
}


def transition(task: TaskRecord, event: Event, now: datetime) -> None:
    """Let *event* happen to *task*.

    Raises:
        IllegalTransition: It cannot happen in the task's status; nothing was changed.
    """
    sources, target = _LAW[event]
    if task.status not in sources:
        raise IllegalTransition(task.task_id, task.status, event)
    task.status = target
    if event is Event.START:
        task.start_time, task.end_time, task.run_at = now, None, None
        task.error = task.stacktrace = None
    elif event is Event.RETRY or event is Event.REQUEUE:
        _close_attempt(task, now, counted=event is Event.RETRY)
    else:
        task.end_time = now


def _close_attempt(task: TaskRecord, now: datetime, *, counted: bool) -> None:
    if task.start_time is not None:
        ended = Attempt(task.retries_used, task.start_time, now, task.error or "interrupted")
        task.earlier = (*task.earlier, ended)[-_KEPT_ATTEMPTS:]
    task.start_time = task.end_time = None
    if counted:
        task.retries_used += 1
