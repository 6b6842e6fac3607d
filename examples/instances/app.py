"""One of several instances; ``run.py`` starts them, or ``docker compose up``."""

import asyncio
import os

from fastapi import FastAPI

from fastapi_taskflow import ManagedBackgroundTasks, TaskAdmin, TaskManager, task_log

task_manager = TaskManager(
    snapshot_backend=os.environ.get("TASKS_URL", "sqlite:///instances.db"), lease=6
)
app = FastAPI()
TaskAdmin(
    app,
    task_manager,
    auto_install=True,
    # The compose file reaches the instances by a proxy on the host's loopback address alone.
    auth=False if os.environ.get("BEHIND_PROXY") else None,
)


@task_manager.task(persist=True, requeue_on_interrupt=True)
async def work(seconds: float) -> None:
    """Goes on elsewhere if this process dies."""
    task_log(f"in process {os.getpid()}")
    await asyncio.sleep(seconds)


@task_manager.schedule(every=2)
async def tick() -> None:
    """Once every two seconds, however many instances there are."""
    task_log(f"in process {os.getpid()}")


@app.post("/work")
async def add(seconds: float, tasks: ManagedBackgroundTasks) -> str:
    return tasks.add_task(work, seconds)
