"""Tasks per second without HTTP, and the memory that a million of them leave behind."""

import asyncio
import gc
import time
from pathlib import Path

from fastapi_taskflow_core import TaskManager

_LIST = 100


async def nothing() -> None:
    """A task that does nothing."""


async def in_lists(manager: TaskManager, count: int, lists_at_once: int = 10) -> float:
    """Tasks per second in request-like lists of a hundred, history written included."""

    async def requests() -> None:
        for _ in range(count // lists_at_once // _LIST):
            tasks = manager.new_list()
            for _ in range(_LIST):
                tasks.add_task(nothing)
            await tasks.finish()

    began = time.perf_counter()
    await asyncio.gather(*(requests() for _ in range(lists_at_once)))
    await manager.history.metrics()
    return count / (time.perf_counter() - began)


async def enqueued(manager: TaskManager, count: int, callers: int) -> float:
    """Durable tasks per second, each awaited by one of so many callers."""

    async def caller() -> None:
        for _ in range(count // callers):
            await manager.enqueue(nothing)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    await manager.history.metrics()
    return count / (time.perf_counter() - began)


async def memory_rate(count: int) -> float:
    """No backend."""
    manager = TaskManager()
    await manager.startup()
    try:
        return await in_lists(manager, count)
    finally:
        await manager.shutdown()


async def history_rate(count: int, folder: Path) -> float:
    """History in SQLite."""
    manager = TaskManager(snapshot_db=folder / "history.db")
    await manager.startup()
    try:
        return await in_lists(manager, count)
    finally:
        await manager.shutdown()


async def durable_rate(count: int, folder: Path, callers: int = 200) -> float:
    """Persisted tasks in SQLite with ``synchronous=FULL``."""
    manager = TaskManager(snapshot_db=folder / "durable.db")
    manager.task(persist=True, requeue_on_interrupt=True)(nothing)
    await manager.startup()
    try:
        return await enqueued(manager, count, callers)
    finally:
        await manager.shutdown()


async def memory_growth(count: int) -> float:
    """Megabytes by which the process has grown after *count* tasks, once it was warm."""
    manager = TaskManager()
    await manager.startup()
    try:
        await in_lists(manager, 50_000)
        before = resident()
        await in_lists(manager, count)
        gc.collect()
        return (resident() - before) / 1e6
    finally:
        await manager.shutdown()


def resident() -> int:
    """Bytes of memory that this process occupies."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not say how much memory a process has")
