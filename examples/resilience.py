"""An application to be killed: start it, order, ``kill -9`` it, start it again, and look.

Run it with ``hatch run uvicorn resilience:app --app-dir examples``, order with
``curl -X POST localhost:8000/orders/1``, and while the order is being cooked kill the process that
``curl localhost:8000/whoami`` names. After the next start ``/tasks/dashboard`` shows what became of
everything: what had not begun is done, what may run twice is done again, what must not is
``interrupted``, for you to decide.
"""

import asyncio
import os

from fastapi import FastAPI

from fastapi_taskflow import ManagedBackgroundTasks, TaskAdmin, TaskManager, task_log

SECONDS = float(os.environ.get("RESILIENCE_SECONDS", "20"))
task_manager = TaskManager(snapshot_db=os.environ.get("RESILIENCE_DB", "resilience.db"))
app = FastAPI()
TaskAdmin(app, task_manager, auto_install=True)


@task_manager.task(persist=True)
async def charge(order: int) -> None:
    """Must never happen twice: after a crash in the middle it is shown as interrupted."""
    await asyncio.sleep(SECONDS)


@task_manager.task(persist=True, requeue_on_interrupt=True)
async def cook(order: int) -> None:
    """May begin again: after a crash it does, by itself."""
    task_log(f"cooking order {order} in process {os.getpid()}")
    await asyncio.sleep(SECONDS)


@app.post("/orders/{order}")
async def take_order(order: int, tasks: ManagedBackgroundTasks) -> dict[str, str]:
    """Once this is answered, both tasks are in the database."""
    return {
        "cook": tasks.add_task(cook, order, priority=0),
        "charge": tasks.add_task(charge, order, priority=0),
        "charge_later": tasks.add_task(charge, order),
    }


@app.get("/whoami")
async def whoami() -> int:
    """The process to kill."""
    return os.getpid()
