"""An application that works by the clock: every few seconds, by a cron pattern, and once.

Run it with ``hatch run uvicorn schedules:app --app-dir examples``, and look at
http://localhost:8000/tasks/dashboard; several of them may share the file.
"""

import os
import random
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI, HTTPException

from fastapi_taskflow import ScheduleNotFound, TaskAdmin, TaskManager, get_task_context, task_log

task_manager = TaskManager(snapshot_db=os.environ.get("SCHEDULES_DB", "schedules.db"))
app = FastAPI()
TaskAdmin(app, task_manager, auto_install=True)


@task_manager.schedule(every=2, overlap="skip")
async def poll_the_mailbox() -> None:
    task_log(f"{random.randrange(5)} new letters")


@task_manager.schedule(cron="0 2 * * *", timezone="Europe/Berlin", retries=3, delay=60)
def nightly_report() -> None:
    context = get_task_context()
    slot = context and (context.tags or {}).get("slot", "asked for by hand")
    task_log(f"report for {slot}")


async def remind(whom: str) -> None:
    task_log(f"dear {whom}, it is time")


@app.get("/schedules")
async def schedules() -> list[dict[str, object]]:
    """Every schedule with its next five and its last slots."""
    found = await task_manager.schedules.list()
    wanted = ("name", "words", "timezone", "paused", "next", "last")
    return [{name: asdict(info)[name] for name in wanted} for info in found]


@app.post("/schedules/{name}/run")
async def run(name: str) -> str:
    """Run a schedule now; the answer is the task's id."""
    try:
        return await task_manager.schedules.run(name)
    except ScheduleNotFound as error:
        raise HTTPException(404, str(error)) from error


@app.post("/reminders/{whom}")
async def add_reminder(whom: str, seconds: float) -> str:
    """Remind somebody later; a second reminder takes the place of the first."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return await task_manager.schedule_once(remind, whom, run_at=at, run_key=f"remind {whom}")


@app.delete("/reminders/{whom}")
async def drop_reminder(whom: str) -> bool:
    """Whether there was one that waited."""
    return await task_manager.cancel_scheduled(f"remind {whom}")
