"""The application whose processes are killed, frozen and cut off.

Every call of a task appends a line to a ledger, so that what really ran can be counted
whatever became of process and storage.
"""

import asyncio
import ctypes
import os
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from deaths import FUNCTION_DONE, AfterAnswer, Death
from fastapi import BackgroundTasks, FastAPI, Request
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware

from fastapi_taskflow import TaskAdmin, TaskManager, get_task_context
from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_core.records import TaskStatus
from fastapi_taskflow_testkit.faults import ExposedBackend, Ledger, Moment, Strike, Weather

ledger = Ledger(Path(os.environ["LEDGER"]))
GO = Path(os.environ["LEDGER"]).with_name("go")
weather = Weather()
death = Death()
death.announce(weather)
if "PAUSES" in os.environ:
    sign = Path(os.environ["PAUSES"])

    def pause() -> None:
        """The event loop stands still from a start on record until the sign is taken away."""
        sign.touch()
        while sign.exists():
            time.sleep(0.01)

    weather.bring(
        Strike(Moment.AFTER, pause), lambda operation: operation.writes(TaskStatus.RUNNING)
    )
manager = TaskManager(
    snapshot_backend=ExposedBackend(backend_from_url(os.environ["TASKS_URL"]), weather),
    lease=float(os.environ.get("LEASE", "15")),
    drain_timeout=float(os.environ.get("DRAIN", "4")),
    commit_timeout=float(os.environ.get("COMMIT", "5")),
    max_crashes=int(os.environ.get("CRASHES", "3")),
    max_concurrent_tasks=int(os.environ["AT_ONCE"]) if "AT_ONCE" in os.environ else None,
)
app = FastAPI()
TaskAdmin(app, manager, auto_install=True)
app.add_middleware(AfterAnswer, death=death)
if "MIDDLEWARE" in os.environ:

    async def passed_on(request: Request, call_next):
        return await call_next(request)

    app.add_middleware(BaseHTTPMiddleware, dispatch=passed_on)
    app.add_middleware(GZipMiddleware, minimum_size=1)


@manager.task(persist=True)
async def once(number: int, seconds: float) -> None:
    """Must never start twice."""
    ledger.note("once", number)
    await asyncio.sleep(seconds)
    ledger.note("once-done", number)
    death.reached(FUNCTION_DONE)


@manager.task(persist=True)
async def held(number: int, seconds: float) -> None:
    """Goes on until the ledger has a file ``go`` beside it; must never start twice."""
    ledger.note("held", number)
    while not await asyncio.to_thread(GO.exists):  # noqa: ASYNC110  a file tells
        await asyncio.sleep(seconds)
    ledger.note("held-done", number)


@manager.task(persist=True, requeue_on_interrupt=True)
async def again(number: int, seconds: float) -> None:
    """May run again from the start."""
    ledger.note("again", number)
    await asyncio.sleep(seconds)
    ledger.note("again-done", number)
    death.reached(FUNCTION_DONE)


@manager.task(persist=True, requeue_on_interrupt=True)
async def poison(number: int, seconds: float) -> None:
    """Takes its process with it."""
    ledger.note("poison", number)
    os._exit(1)


@manager.task()
async def unkept(number: int, seconds: float) -> None:
    """Promised to nobody."""
    ledger.note("unkept", number)
    await asyncio.sleep(seconds)
    ledger.note("unkept-done", number)


@manager.task()
def in_thread(number: int, seconds: float) -> None:
    """Cannot be stopped."""
    ledger.note("in_thread", number)
    time.sleep(seconds)


@manager.task(persist=True)
async def blocking(number: int, seconds: float) -> None:
    """Stops the event loop, as one that calls what it should not."""
    ledger.note("blocking", number)
    time.sleep(seconds)  # noqa: ASYNC251  that is the point
    ledger.note("blocking-done", number)


@manager.task(persist=True)
async def greedy(number: int, seconds: float) -> None:
    """Stops every thread of its process: a call into C that keeps the interpreter's lock."""
    ledger.note("greedy", number)
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))
    ledger.note("greedy-done", number)


@manager.task(persist=True)
async def failing(number: int, seconds: float) -> None:
    """Fails."""
    ledger.note("failing", number)
    raise ValueError(number)


if "EVERY" in os.environ:

    @manager.schedule(every=float(os.environ["EVERY"]))
    async def tick() -> None:
        """Runs once for each slot; its number is the slot's time in milliseconds."""
        context = get_task_context()
        assert context is not None
        slot = datetime.fromisoformat(context.tags["slot"])
        ledger.note("tick", round(slot.timestamp() * 1000))


_TASKS: dict[str, Callable[[int, float], Awaitable[None] | None]] = {
    "once": once,
    "held": held,
    "again": again,
    "poison": poison,
    "unkept": unkept,
    "in_thread": in_thread,
    "blocking": blocking,
    "greedy": greedy,
    "failing": failing,
}


@app.api_route("/add/{kind}/{number}", methods=["POST", "HEAD"])
async def add(
    kind: str,
    number: int,
    background_tasks: BackgroundTasks,
    seconds: float = 0.0,
    key: str | None = None,
) -> str:
    """Add one task; its id is the answer."""
    return background_tasks.add_task(_TASKS[kind], number, seconds, idempotency_key=key)
