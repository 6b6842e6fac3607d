"""The application under load: the same route with and without fastapi-taskflow.

``BENCH_MODE`` chooses: plain, memory, history (SQLite), durable (SQLite, persisted), thawed (the
same with ``freeze_gc=False``) or waiting (in memory, ten tasks at once).
"""

import asyncio
import os

from fastapi import BackgroundTasks, FastAPI
from pydantic import BaseModel

from fastapi_taskflow_core import TaskManager

MODE = os.environ["BENCH_MODE"]

app = FastAPI()


async def work(number: int) -> None:
    """A task that does nothing."""


if MODE != "plain":
    manager = TaskManager(
        snapshot_db=None if MODE in {"memory", "waiting"} else os.environ["BENCH_DB"],
        max_concurrent_tasks=10 if MODE == "waiting" else None,
        freeze_gc=MODE != "thawed",
    )
    manager.install(app)
    durable = MODE in {"durable", "thawed"}
    manager.task(persist=durable, requeue_on_interrupt=durable)(work)


@app.get("/task")
async def add(background_tasks: BackgroundTasks) -> dict[str, bool]:
    background_tasks.add_task(work, 1)
    return {"ok": True}


class Signup(BaseModel):
    """What a form sends."""

    email: str
    name: str
    newsletter: bool = False


@app.post("/signup")
async def sign_up(signup: Signup, background_tasks: BackgroundTasks) -> Signup:
    background_tasks.add_task(work, 1)
    return signup


async def short() -> None:
    """A task of five milliseconds."""
    await asyncio.sleep(0.005)


@app.post("/fill")
async def fill() -> dict[str, bool]:
    for number in range(10_000):
        await manager.enqueue(short)
        if number % 100 == 0:
            await asyncio.sleep(0)
    return {"ok": True}


@app.get("/ping")
async def ping() -> dict[str, bool]:
    return {"ok": True}
