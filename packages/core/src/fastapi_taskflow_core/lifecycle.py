"""The life of a task. This is the only place where a status changes."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from .errors import IllegalTransition
from .records import Attempt, TaskRecord, TaskStatus

_KEPT_ATTEMPTS = 50


_WAITING = (TaskStatus.PENDING,)
_RUNNING = (TaskStatus.RUNNING,)
_OPEN = (TaskStatus.PENDING, TaskStatus.RUNNING)


class Event(Enum):
    """What can happen to a task, and what it then is."""

    START = ("start", _WAITING, TaskStatus.RUNNING)
    SUCCEED = ("succeed", _RUNNING, TaskStatus.SUCCESS)
    FAIL = ("fail", _OPEN, TaskStatus.FAILED)
    RETRY = ("wait for a retry", _RUNNING, TaskStatus.PENDING)
    CANCEL = ("be cancelled", _OPEN, TaskStatus.CANCELLED)
    INTERRUPT = ("be interrupted", _OPEN, TaskStatus.INTERRUPTED)
    REQUEUE = ("be put back", _RUNNING, TaskStatus.PENDING)
    REJECT = ("be rejected", _WAITING, TaskStatus.REJECTED)

    def __init__(self, words: str, sources: tuple[TaskStatus, ...], target: TaskStatus) -> None:
        self.sources = sources
        """The statuses it can happen in."""
        self.target = target
        self.goes_on = target is TaskStatus.PENDING
        """Whether another attempt follows."""
        self._words = words

    def __str__(self) -> str:
        return self._words


_START = Event.START  # looked up for every task


def transition(task: TaskRecord, event: Event, now: datetime) -> None:
    """Let *event* happen to *task*.

    Raises:
        IllegalTransition: It cannot happen in the task's status; nothing was changed.
    """
    if task.status not in event.sources:
        raise IllegalTransition(task.task_id, task.status, str(event))
    task.status = event.target
    if event is _START:
        task.start_time, task.end_time, task.run_at = now, None, None
        task.error = task.stacktrace = None
    elif event.goes_on:
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
