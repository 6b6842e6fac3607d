"""A program that runs many tasks, lets many wait, and starts again over a long history."""

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing

from memory import memory

from fastapi_taskflow import TaskManager, TaskStatus

WARM = 10_000
AT_ONCE = 100
SECOND = 3600.0


async def nothing() -> None:
    """A task that does nothing."""


async def fails() -> None:
    """A task that waits for its next attempt."""
    raise ValueError("not yet")


def manager_on(database: str) -> TaskManager:
    """A manager that knows both."""
    manager = TaskManager(snapshot_db=database)
    manager.task()(nothing)
    manager.task(persist=True, retries=1, delay=SECOND)(fails)
    return manager


async def run(manager: TaskManager, func: Callable[[], object], number: int, waiting: int) -> None:
    """Run so many, and return when no more than *waiting* are unfinished."""
    for _ in range(0, number, AT_ONCE):
        tasks = manager.new_list()
        for _ in range(AT_ONCE):
            tasks.add_task(func)
        await tasks.commit()
        tasks.run()
        await tasks()
    unfinished = waiting + 1
    while unfinished > waiting:
        counts = (await manager.history.metrics()).overall.counts
        unfinished = counts[TaskStatus.RUNNING] + counts[TaskStatus.PENDING]


def lengthen(database: str, rows: int) -> None:
    """Copy a finished task until the history has so many."""
    with closing(sqlite3.connect(database)) as tool:
        columns = [name for _, name, *_ in tool.execute("PRAGMA table_info(taskflow_tasks)")]
        copied = ", ".join("printf('copy-%08d', n)" if it == "task_id" else it for it in columns)
        tool.execute(
            "INSERT INTO taskflow_tasks"  # noqa: S608  names of columns
            " WITH RECURSIVE counter (n) AS"
            " (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < ?)"
            f" SELECT {copied} FROM counter,"
            " (SELECT * FROM taskflow_tasks WHERE status = 'success' LIMIT 1)",
            (rows,),
        )
        tool.commit()


async def main(database: str, number: int, waiting: int, rows: int) -> None:
    """Tell in megabytes what that costs, and how many seconds the start takes."""
    manager = manager_on(database)
    await manager.startup()
    await run(manager, nothing, WARM, 0)
    warm = memory()
    await run(manager, nothing, number, 0)
    done = memory()
    await run(manager, fails, waiting, waiting)
    waits = memory()
    await manager.shutdown()
    lengthen(database, rows)
    manager = manager_on(database)
    began = time.monotonic()
    await manager.startup()
    took = time.monotonic() - began
    await manager.shutdown()
    print(json.dumps({"grown": done - warm, "waiting": waits - done, "start": took}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
