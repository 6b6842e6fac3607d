"""What becomes of a task when the instance that owned it is dead."""

from __future__ import annotations

from datetime import datetime

from .lifecycle import Event, transition
from .records import TaskRecord, TaskStatus


def orphan(task: TaskRecord, now: datetime, max_crashes: int) -> None:
    """Bring an unfinished task without a living owner into the state that follows from it.

    One that waited goes on waiting if it is persisted; one that ran does so if it may be
    repeated and its process died less than *max_crashes* times under it. Others have ended.
    """
    waited = task.status is TaskStatus.PENDING
    task.owner = None
    if waited and task.persist:
        return
    if waited or not task.requeue_on_interrupt:
        moment = "before this task started" if waited else "while this task ran"
        task.error = f"the process stopped {moment}"
        transition(task, Event.INTERRUPT, now)
        return
    task.crashes += 1
    if task.crashes < max_crashes:
        transition(task, Event.REQUEUE, now)
        return
    times = "once" if task.crashes == 1 else f"{task.crashes} times"
    task.error = f"the process died {times} while this task ran"
    transition(task, Event.FAIL, now)
