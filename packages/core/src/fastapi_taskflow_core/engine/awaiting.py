"""Waiting for the end of a task, wherever it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..records import TaskRecord
from .feed import Change, Feed, Happening

_FIRST_LOOK, _LAST_LOOK = 0.1, 1.0
"""Seconds between looks into the backend, for what other instances run: they grow."""


async def wait_for_end(
    task_id: str,
    feed: Feed,
    read: Callable[[str], Awaitable[TaskRecord]],
    timeout: float | None,
) -> TaskRecord:
    """The record of the task once it is finished.

    The end of a task of this process is heard of at once; for others the backend is asked
    again and again.

    Raises:
        TimeoutError: It is not finished within *timeout* seconds.
        TaskNotFound: There is no such task.
    """
    ended = asyncio.Event()

    def heard(happening: Happening) -> None:
        task = happening.task
        if isinstance(happening, Change) and task.task_id == wanted and task.status.finished:
            ended.set()

    wanted = task_id
    unsubscribe = feed.subscribe(heard)
    try:
        async with asyncio.timeout(timeout):
            pause = _FIRST_LOOK
            while True:
                record = await read(task_id)
                if record.status.finished:
                    return record
                wanted = record.task_id  # the id may have been an alias
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await ended.wait()
                pause = min(2 * pause, _LAST_LOOK)
    finally:
        unsubscribe()
