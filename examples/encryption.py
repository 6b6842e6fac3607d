"""An application that takes numbers of cards, and keeps none that anybody could read.

Run it with ``hatch run uvicorn encryption:app --app-dir examples``. The key is in
``ENCRYPTION_KEY``; several, the newest first, are separated by commas.
"""

import os
from typing import Annotated

from cryptography.fernet import Fernet
from fastapi import Body, FastAPI

from fastapi_taskflow import ManagedBackgroundTasks, TaskAdmin, TaskManager, task_log


def keys() -> list[str]:
    """Where a real application asks its secret manager."""
    given = os.environ.get("ENCRYPTION_KEY")
    return given.split(",") if given else [made_for_today]


made_for_today = Fernet.generate_key().decode()
task_manager = TaskManager(
    snapshot_db=os.environ.get("ENCRYPTION_DB", "payments.db"), encrypt_args_key=keys
)
app = FastAPI()
TaskAdmin(app, task_manager, auto_install=True, display_func_args=True)


@task_manager.task(persist=True, keep_result=True)
async def charge(card: str, amount: int) -> str:
    task_log(f"charging {amount} to {card}")
    if not card.isdigit():
        raise ValueError(f"{card} is no number of a card")
    return f"receipt for {card}"


@app.post("/payments")
async def pay(
    card: Annotated[str, Body()],
    amount: Annotated[int, Body()],
    tasks: ManagedBackgroundTasks,
) -> dict[str, str]:
    return {"task_id": tasks.add_task(charge, card, amount)}


@app.get("/receipts/{task_id}")
async def receipt(task_id: str) -> str:
    """Only this application can read what the task returned."""
    return str(task_manager.result_of(await task_manager.wait(task_id, 5)))


@app.post("/keys/rotate")
async def rotate() -> dict[str, int]:
    """Encrypt with the newest key what still waits; tells which keys are needed now."""
    await task_manager.reencrypt()
    return await task_manager.encryption_keys()
