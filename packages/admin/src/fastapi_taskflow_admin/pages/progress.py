"""How far a running task is, and how long it will take. Worked out without I/O."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi_taskflow_core.records import TaskRecord, TaskStatus

from . import formats

_SOON = timedelta(seconds=1)
"""Before that, nobody can tell."""


def progress(task: TaskRecord) -> str:
    """How far a running task is, in words; empty when it did not say."""
    told = task.progress
    if told is None or task.status is not TaskStatus.RUNNING:
        return ""
    done = formats.number(told.done)
    if told.total is not None:
        done += f" of {formats.number(told.total)}"
    return f"{done} {told.message}" if told.message else done


def time_left(task: TaskRecord, now: datetime) -> str:
    """``about 2 min left``, if it goes on as it did; empty where that cannot be told."""
    told = task.progress
    if told is None or task.status is not TaskStatus.RUNNING or task.start_time is None:
        return ""
    ran = now - task.start_time
    if not told.total or not 0 < told.done <= told.total or ran < _SOON:
        return ""
    seconds = ran.total_seconds() * (told.total - told.done) / told.done
    return f"about {formats.roughly(seconds)} left"
