"""The application whose processes are killed, frozen and cut off.

Every call of a task appends a line to a ledger, so that what really ran can be counted
whatever became of process and database.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

from fastapi import BackgroundTasks, FastAPI

from fastapi_taskflow import TaskAdmin, TaskManager

_LEDGER = os.open(os.environ["LEDGER"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)


def note(what: str, number: int) -> None:
    """One line, written at once and whole."""
    os.write(_LEDGER, f"{what} {number} {os.getpid()}\n".encode())


manager = TaskManager(
    snapshot_db=os.environ["TASKS_DB"],
    lease=float(os.environ.get("LEASE", "15")),
    drain_timeout=float(os.environ.get("DRAIN", "4")),
    commit_timeout=float(os.environ.get("COMMIT", "5")),
    max_crashes=int(os.environ.get("CRASHES", "3")),
)
app = FastAPI()
TaskAdmin(app, manager, auto_install=True)


@manager.task(persist=True)
async def once(number: int, seconds: float) -> None:
    """Must never start twice."""
    note("once", number)
    await asyncio.sleep(seconds)
    note("once-done", number)


@manager.task(persist=True, requeue_on_interrupt=True)
async def again(number: int, seconds: float) -> None:
    """May run again from the start."""
    note("again", number)
    await asyncio.sleep(seconds)
    note("again-done", number)


@manager.task(persist=True, requeue_on_interrupt=True)
async def poison(number: int, seconds: float) -> None:
    """Takes its process with it."""
    note("poison", number)
    os._exit(1)


@manager.task()
async def unkept(number: int, seconds: float) -> None:
    """Promised to nobody."""
    note("unkept", number)
    await asyncio.sleep(seconds)


@manager.task()
def in_thread(number: int, seconds: float) -> None:
    """Cannot be stopped."""
    note("in_thread", number)
    time.sleep(seconds)


_TASKS: dict[str, Callable[[int, float], Awaitable[None] | None]] = {
    "once": once,
    "again": again,
    "poison": poison,
    "unkept": unkept,
    "in_thread": in_thread,
}


@app.post("/add/{kind}/{number}")
async def add(
    kind: str,
    number: int,
    background_tasks: BackgroundTasks,
    seconds: float = 0.0,
    key: str | None = None,
) -> str:
    """Add one task; its id is the answer."""
    return background_tasks.add_task(_TASKS[kind], number, seconds, idempotency_key=key)
