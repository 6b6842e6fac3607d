"""An application that tells its customers' servers what happened: once each, and insistently.

Run it with ``hatch run uvicorn webhooks:app --app-dir examples``. It brings a customer's server of
its own, under ``/customer``, that can be told to fail.
"""

import os
from collections import Counter
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from fastapi import FastAPI, Response

from fastapi_taskflow import (
    AbortTask,
    ManagedBackgroundTasks,
    RetryTask,
    TaskAdmin,
    TaskManager,
    get_task_context,
)

task_manager = TaskManager(snapshot_db=os.environ.get("WEBHOOKS_DB", "webhooks.db"))
app = FastAPI()
TaskAdmin(app, task_manager, auto_install=True)


@task_manager.task(
    persist=True,
    requeue_on_interrupt=True,  # the receiver knows the key, so twice is once
    retries=5,
    delay=float(os.environ.get("WEBHOOKS_DELAY", "1")),
    backoff=2.0,
    max_delay=60.0,
    jitter=0.2,
    timeout=10.0,
    retry_on=(URLError, TimeoutError),
)
def deliver(url: str, event: str) -> None:
    """Send an event; what to do when that fails depends on how it fails."""
    context = get_task_context()
    key = context.task_id if context else ""
    request = Request(url, event.encode(), {"Idempotency-Key": key})
    try:
        urlopen(request, timeout=5).close()
    except HTTPError as error:
        error.close()
        if error.code == 429:
            raise RetryTask(after=float(error.headers.get("Retry-After", "5"))) from error
        if error.code < 500:
            raise AbortTask(f"{url} does not want it: {error.code}") from error
        raise


@app.post("/orders/{order}")
async def order(order: int, url: str, tasks: ManagedBackgroundTasks) -> dict[str, str]:
    """However often the order is sent, its event is delivered by one task."""
    task_id = tasks.add_task(deliver, url, f"order {order}", idempotency_key=f"order {order} {url}")
    return {"task_id": task_id}


received: Counter[str] = Counter()
answers: list[int] = []


@app.post("/customer")
async def customer(response: Response) -> None:
    """A receiver that answers what it was told to, and then is content."""
    response.status_code = answers.pop(0) if answers else 200
    if response.status_code == 429:
        response.headers["Retry-After"] = "0.05"
    received[str(response.status_code)] += 1


@app.put("/customer")
async def arrange(statuses: list[int]) -> None:
    """Let the receiver answer these statuses next."""
    answers[:] = statuses
    received.clear()


@app.get("/customer")
async def seen() -> dict[str, int]:
    """What the receiver has answered."""
    return dict(received)
