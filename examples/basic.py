"""The quick start: three lines added to a FastAPI application, the routes unchanged.

Run it:   uvicorn basic:app
Use it:   curl -X POST "localhost:8000/signup?email=ada@example.org"
See it:   http://localhost:8000/tasks/dashboard
"""

import os
import random

from fastapi import BackgroundTasks, FastAPI

from fastapi_taskflow import TaskAdmin, TaskManager, task_log

task_manager = TaskManager(snapshot_db=os.environ.get("TASKS_DB", "tasks.db"))
app = FastAPI()
TaskAdmin(app, task_manager, auto_install=True)


@task_manager.task(retries=3, delay=0.5, backoff=2.0)
def send_email(address: str) -> None:
    """Pretends to send an e-mail, and fails at times as mail servers do."""
    if random.random() < float(os.environ.get("FAILURE_RATE", "0.3")):
        raise ConnectionError("the mail server does not answer")
    task_log(f"sent to {address}")


@app.post("/signup")
def signup(email: str, background_tasks: BackgroundTasks) -> dict[str, str]:
    """Answer at once; the e-mail follows."""
    return {"task_id": background_tasks.add_task(send_email, address=email)}
