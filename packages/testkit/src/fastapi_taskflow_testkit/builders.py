"""Records, batches and beats with every detail filled in that a test does not care about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi_taskflow_core.backends.base import Backend, Batch, Beat, Claim, Query, Written
from fastapi_taskflow_core.records import Attempt, LogEntry, Progress, TaskRecord, TaskStatus
from fastapi_taskflow_core.surroundings import time_ordered_id

ME = "instance-a"
"""The instance that owns a task unless a test says otherwise."""
OTHER = "instance-b"
FUNCTION = "send_email"

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """The present, aware UTC."""
    return datetime.now(UTC)


def a_task(**changes: Any) -> TaskRecord:
    """A PENDING task of `ME` with a new id, created now."""
    task = TaskRecord(time_ordered_id(), FUNCTION, now(), owner=ME)
    return replace(task, **changes)


def tasks(number: int, **changes: Any) -> list[TaskRecord]:
    """Several such tasks, in the order of their ids, created a microsecond apart."""
    start = now() - HOUR
    return [
        a_task(**{"task_id": f"task-{i:06}", "created_at": start + i * MICROSECOND, **changes})
        for i in range(number)
    ]


def a_full_task() -> TaskRecord:
    """A task of `ME` in which no field has its default."""
    start = now()
    return a_task(
        status=TaskStatus.RUNNING,
        created_at=start - 9 * SECOND,
        start_time=start,
        end_time=start + SECOND,
        retries_used=2,
        error="ValueError: no",
        stacktrace="Traceback (most recent call last):\n  ...\n",
        tags={"tenant": "acme", "plan": ""},
        source="scheduled",
        priority=-3,
        executor="process",
        queue="mail",
        idempotency_key="order 7",
        run_at=start - 3 * SECOND,
        earlier=(
            Attempt(0, start - 8 * SECOND, start - 7 * SECOND, "OSError: away"),
            Attempt(1, start - 5 * SECOND, start - 4 * SECOND, "OSError: still away"),
        ),
        progress=Progress(3.5, 10.0, "half way"),
        result='{"sent": true}',
        retry_of=time_ordered_id(),
        payload=bytes(range(256)),
        persist=True,
        requeue_on_interrupt=True,
        epoch=7,
        crashes=1,
        cancel_requested=True,
    )


def changed(task: TaskRecord, **changes: Any) -> TaskRecord:
    """Another record of the same task; the given one stays as it is."""
    return replace(task, **changes)


def started(task: TaskRecord, **changes: Any) -> TaskRecord:
    """The task, RUNNING since its creation."""
    running = changed(task, status=TaskStatus.RUNNING, start_time=task.created_at)
    return replace(running, **changes)


def ended(
    task: TaskRecord,
    status: TaskStatus = TaskStatus.SUCCESS,
    *,
    seconds: float = 1.0,
    **changes: Any,
) -> TaskRecord:
    """The task, finished after it ran for so many seconds."""
    start = task.start_time or task.created_at
    end = start + timedelta(seconds=seconds)
    return replace(task, **{"status": status, "start_time": start, "end_time": end, **changes})


def a_line(seq: int = 1, **changes: Any) -> LogEntry:
    """A log line."""
    return replace(LogEntry(seq, now(), 0, "info", f"line {seq}"), **changes)


def a_beat(instance: str = ME, *, lease: timedelta = HOUR, **changes: Any) -> Beat:
    """A sign of life that lasts for an hour."""
    beat = Beat(instance, "host-1", 4711, "1.2.3", now(), lease)
    return beat._replace(**changes)


async def put(backend: Backend, *records: TaskRecord, instance: str = ME) -> Written:
    """Insert the tasks as they are now."""
    return await backend.write(Batch(instance, inserts=[task.copy() for task in records]))


async def update(backend: Backend, *records: TaskRecord, instance: str = ME) -> Written:
    """Update the tasks to what they are now."""
    return await backend.write(Batch(instance, updates=[task.copy() for task in records]))


async def say(backend: Backend, task_id: str, lines: Iterable[LogEntry]) -> None:
    """Write log lines of one task."""
    await backend.write(Batch(ME, logs=[(task_id, line) for line in lines]))


async def stored(backend: Backend, task: TaskRecord | str) -> TaskRecord:
    """The task as the backend has it."""
    task_id = task if isinstance(task, str) else task.task_id
    found = await backend.get(task_id)
    assert found is not None, f"the backend has no task {task_id!r}, but it was written"
    return found


async def beat_of(backend: Backend, *instances: str) -> None:
    """Let the instances live for an hour."""
    for instance in instances:
        await backend.beat(a_beat(instance))


async def die(backend: Backend, *instances: str) -> None:
    """Let the lease of the instances be over."""
    for instance in instances:
        await backend.beat(a_beat(instance, lease=timedelta(0)))


async def claim(
    backend: Backend,
    instance: str = OTHER,
    *functions: str,
    limit: int = 100,
    max_crashes: int = 3,
) -> Sequence[TaskRecord]:
    """Claim for an instance that lives, tasks of `FUNCTION` unless others are named."""
    await beat_of(backend, instance)
    wanted = Claim(instance, frozenset(functions or (FUNCTION,)), limit, max_crashes)
    return await backend.claim(wanted)


async def all_ids(backend: Backend, **filters: Any) -> list[str]:
    """The ids of the first 1,000 tasks that pass the filters, newest first."""
    page = await backend.query(Query(**{"limit": 1_000, **filters}))
    return [task.task_id for task in page.tasks]


@asynccontextmanager
async def several(backend: Backend, number: int) -> AsyncIterator[list[Backend]]:
    """So many further connections to the same data."""
    async with AsyncExitStack() as stack:
        others = [backend.another() for _ in range(number)]
        for other in others:
            await other.open()
            stack.push_async_callback(other.close)
        yield others
