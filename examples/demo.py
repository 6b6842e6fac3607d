"""The demo: an application with its dashboard, and a generator of traffic.

``hatch run demo`` starts it on http://127.0.0.1:8000 (``PORT`` chooses another port) and
keeps its tasks in ``demo.db`` (``DEMO_DB`` chooses another file).
"""

import asyncio
import itertools
import json
import os
import random
import socket
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from fastapi_taskflow import (
    BackendUnavailable,
    ManagedBackgroundTasks,
    QueueConfig,
    TaskAdmin,
    TaskManager,
    get_task_context,
    task_log,
    task_progress,
)

PORT = int(os.environ.get("PORT", "8000"))

task_manager = TaskManager(
    snapshot_db=os.environ.get("DEMO_DB", "demo.db"),
    queues={"email": QueueConfig(concurrency=4, max_size=200)},
    drain_timeout=2,  # Ctrl-C should not take long here; what is cut off goes on at the next start
)


@task_manager.task(
    queue="email", retries=3, delay=1.0, backoff=2.0, jitter=0.2, retry_on=ConnectionError
)
async def send_email(address: str, subject: str) -> None:
    """Succeeds mostly, and after a retry or two nearly always."""
    await asyncio.sleep(random.uniform(0.05, 0.4))
    if random.random() < 0.25:
        raise ConnectionError("smtp.example.org does not answer")
    task_log(f"sent {subject!r} to {address}")


@task_manager.task(persist=True, requeue_on_interrupt=True)
async def build_report(rows: int) -> None:
    """A long task that says how far it is, and starts again after a crash."""
    task_log("collecting rows", rows=rows)
    for done in range(0, rows + 1, 10):
        task_progress(done, rows, "collecting")
        if done % 100 == 0:
            task_log(f"{done} rows so far")
        await asyncio.sleep(1)
    task_log("report is ready")


@task_manager.task()
def resize_image(name: str, width: int) -> None:
    """A plain function; it runs in a thread."""
    task_log(f"{name} is {width} pixels wide now")


@task_manager.task(persist=True)
async def charge_card(order: int, cents: int) -> None:
    """Must never run twice; fails for good when the card is refused."""
    context = get_task_context()
    await asyncio.sleep(random.uniform(0.1, 0.3))
    try:
        json.loads("refused" if order % 7 == 0 else "{}")
    except json.JSONDecodeError as error:
        raise ValueError(f"order {order}: the bank refuses {cents / 100:.2f} EUR") from error
    task_log(f"order {order} is paid", key=context.task_id if context else None)


@task_manager.schedule(every=15, overlap="skip", run_on_startup=True)
async def count_the_stock() -> None:
    """Runs by itself, at the start and four times a minute."""
    await asyncio.sleep(random.uniform(0.1, 0.5))
    task_log(f"{random.randrange(40, 60)} articles are left")


@task_manager.schedule(cron="30 3 * * *", timezone="Europe/Berlin")
async def close_the_books() -> None:
    """Runs by itself, every night."""
    task_log("the books are closed")


async def traffic() -> None:
    """Asks for tasks as customers would: a crowd at first, then one after another."""
    for number, order in enumerate(itertools.count(random.randint(1, 1_000))):
        if number % 60 == 0:
            await task_manager.enqueue(build_report, rows=600)
        with suppress(BackendUnavailable):
            await one_customer(order)
        await asyncio.sleep(0.1 if number < 12 else random.uniform(0.3, 1.5))


async def one_customer(order: int) -> None:
    """Orders something, and wants to hear of it."""
    name = random.choice(("ada", "grace", "alan", "edsger", "barbara"))
    tags = {"customer": name}
    address, subject = f"{name}@example.org", f"Order {order}"
    await task_manager.enqueue(send_email, address, subject=subject, tags=tags)
    await task_manager.enqueue(charge_card, order, cents=random.randint(500, 20_000), tags=tags)
    if order % 3 == 0:
        await task_manager.enqueue(resize_image, f"{name}.png", width=640)
    if order % 50 == 2:
        for reader in range(25):
            await task_manager.enqueue(send_email, f"reader-{reader}@example.org", "Newsletter")


app = FastAPI(title="fastapi-taskflow demo")
TaskAdmin(
    app,
    task_manager,
    title="Demo shop",
    auto_install=True,
    display_func_args=True,
    retention_days=1,
)


@app.post("/orders/{order}")
def place_order(order: int, email: str, tasks: ManagedBackgroundTasks) -> dict[str, str]:
    """Take an order; card and e-mail follow."""
    return {
        "payment": tasks.add_task(charge_card, order, cents=1_999),
        "confirmation": tasks.add_task(send_email, email, subject=f"Order {order}"),
    }


class Shop(uvicorn.Server):
    """The server; it says where it is, and lets customers in while it is open."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        print(f"The demo shop is running on http://127.0.0.1:{PORT} (Ctrl-C ends it)")
        print(f"  dashboard: http://127.0.0.1:{PORT}/tasks/dashboard")
        print(f"  API:       http://127.0.0.1:{PORT}/docs", flush=True)
        self.customers = asyncio.create_task(traffic())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.customers.cancel()
        await super().shutdown(sockets)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        Shop(uvicorn.Config(app, host="127.0.0.1", port=PORT, log_level="warning")).run()
