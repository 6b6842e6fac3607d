"""The application under load: the same route with and without fastapi-taskflow.

``BENCH_MODE`` chooses: plain, memory, history (SQLite) or durable (SQLite, persisted).
"""

import os

from fastapi import BackgroundTasks, FastAPI
from pydantic import BaseModel

from fastapi_taskflow_core import TaskManager

MODE = os.environ["BENCH_MODE"]

app = FastAPI()


async def work(number: int) -> None:
    """A task that does nothing."""


if MODE != "plain":
    manager = TaskManager(snapshot_db=None if MODE == "memory" else os.environ["BENCH_DB"])
    manager.install(app)
    durable = MODE == "durable"
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


@app.get("/ping")
async def ping() -> dict[str, bool]:
    return {"ok": True}
