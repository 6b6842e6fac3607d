"""An application whose slow work does not hold up its urgent work.

Run it with ``hatch run uvicorn queues:app --app-dir examples``. Reports have a queue of their own,
two at a time and at most ten in line; who asks for an eleventh is told so by a 503. Alarms go
first.
"""

import asyncio
import os

from fastapi import FastAPI

from fastapi_taskflow import ManagedBackgroundTasks, QueueConfig, TaskAdmin, TaskManager

SECONDS = float(os.environ.get("QUEUES_SECONDS", "5"))
task_manager = TaskManager(
    max_concurrent_tasks=8,
    queues={"reports": QueueConfig(concurrency=2, max_size=10)},
)
app = FastAPI()
TaskAdmin(app, task_manager, auto_install=True)


@task_manager.task(queue="reports")
async def report(number: int) -> None:
    await asyncio.sleep(SECONDS)


@task_manager.task()
async def tidy(number: int) -> None:
    await asyncio.sleep(SECONDS)


@task_manager.task(priority=10)
async def alarm(text: str) -> None: ...


@app.post("/reports/{number}")
async def ask_for_report(number: int, tasks: ManagedBackgroundTasks) -> str:
    return tasks.add_task(report, number)


@app.post("/chores")
async def add_chores(number: int) -> list[str]:
    """As much unimportant work as you like."""
    return [await task_manager.enqueue(tidy, each, priority=-10) for each in range(number)]


@app.post("/alarms/{text}")
async def raise_alarm(text: str, tasks: ManagedBackgroundTasks) -> str:
    return tasks.add_task(alarm, text)


@app.patch("/reports")
async def at_once(number: int) -> None:
    """More or fewer reports at once, from now on and on every instance."""
    task_manager.update_queue_config("reports", concurrency=number)
