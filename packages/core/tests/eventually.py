"""Waiting for what happens by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fastapi_taskflow_core import TaskManager, TaskRecord, TaskStatus


async def eventually(holds: Callable[[], Awaitable[bool]], within: float = 30) -> None:
    """Return when the condition holds; fail after so many seconds."""
    async with asyncio.timeout(within):
        while True:
            if await holds():
                return
            await asyncio.sleep(0)


async def ended(manager: TaskManager, task_id: str, *statuses: TaskStatus) -> TaskRecord:
    """The task, when it is finished (in one of the statuses, if any are given)."""

    async def is_over() -> bool:
        task = await manager.history.get(task_id)
        return task.status.finished if not statuses else task.status in statuses

    await eventually(is_over)
    return await manager.history.get(task_id)
