"""An application with something on every page of its dashboard."""

import asyncio
import json
import os
import time
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path

from fastapi import BackgroundTasks, FastAPI
from visits import LONG

from fastapi_taskflow import (
    QueueConfig,
    QueueFullError,
    TaskAdmin,
    TaskManager,
    TaskStateError,
    TaskStatus,
    task_log,
    task_progress,
)
from fastapi_taskflow_core.backends.base import Query

ATTACK = "<img src=x onerror=\"document.title='owned'\"></script><script>alert(1)</script>'\""

manager = TaskManager(
    snapshot_db=os.environ["DB"],
    queues={
        "mail": QueueConfig(concurrency=2, max_size=500),
        ATTACK: QueueConfig(),
        LONG: QueueConfig(),
    },
)
app = FastAPI()
TaskAdmin(
    app, manager, title=f"Shop {ATTACK}", auto_install=True, display_func_args=True, poll_interval=2
)


@manager.task(queue="mail", retries=1, delay=0.01)
async def send(address: str) -> None:
    task_log(f"sent to {address}")


@manager.task()
async def charge(order: int) -> None:
    raise ValueError(f"order {order} was refused by 'bank {order}'")


@manager.task(retries=0, name=ATTACK, queue=ATTACK)
async def attack(value: str) -> None:
    task_log(ATTACK, field=ATTACK)
    raise ValueError(ATTACK)


@manager.task()
async def wait(seconds: float) -> None:
    for done in range(100):
        task_progress(done, 100, "waiting")
        await asyncio.sleep(seconds / 100)


@manager.task()
def advance(file: str) -> None:
    """Gets on, a little at a time, until there is such a file."""
    for done in count():
        if Path(file).exists():
            return
        task_progress(done, 1_000_000, "on its way")
        time.sleep(0.05)


@manager.task()
async def murmur(words: str) -> None:
    task_progress(1, 100, words)
    await asyncio.sleep(60)


@manager.task(retries=2, delay=0.4)
async def flaky(order: str) -> None:
    await asyncio.sleep(0.2)
    task_log("nobody answers", level="warning")
    raise ConnectionError(f"order {order} did not get through")


@manager.task(retries=3, delay=0.1)
async def chatter(lines: str) -> None:
    for number in range(int(lines)):
        task_log(f"line {number}")
        if number % 50 == 0:
            await asyncio.sleep(0.02)
    raise ValueError("said enough")


@manager.task()
async def parse(text: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise RuntimeError("the answer cannot be read") from error


@manager.task(name=LONG, queue=LONG)
async def endless(value: str) -> None:
    raise ValueError(f"{LONG} {value}")


@manager.task()
def stubborn(file: str) -> None:
    """Goes on until there is such a file, whatever it is told."""
    while not Path(file).exists():
        time.sleep(0.02)


@manager.schedule(every=3600)
async def tidy() -> None: ...


@manager.schedule(every=3600)
async def count_the_stock() -> None: ...


TASKS = (send, charge, attack, wait, advance, murmur, flaky, chatter, parse, endless, stubborn)
FUNCTIONS = {each.__name__: each for each in TASKS}


@app.post("/add/{name}")
async def add(name: str, argument: str, background_tasks: BackgroundTasks) -> str:
    given = float(argument) if name == "wait" else argument
    kind = {"attack": ATTACK, "endless": LONG}.get(name, name)
    tasks = background_tasks.options(tags={"kind": kind})
    return str(tasks.add_task(FUNCTIONS[name], given))


@app.post("/forget")
async def forget() -> None:
    """No task is left: those that go on are cancelled."""
    going_on = Query(statuses=frozenset({TaskStatus.PENDING, TaskStatus.RUNNING}), limit=100)
    for task in (await manager.history.query(going_on)).tasks:
        with suppress(TaskStateError):
            await manager.cancel(task.task_id)
        await manager.wait(task.task_id)
    await manager.history.delete_older_than(timedelta(0))


@app.post("/fill")
async def fill(number: int, name: str = "") -> None:
    for each in range(number):
        with suppress(QueueFullError):
            await manager.enqueue(FUNCTIONS[name or ("charge" if each % 3 else "send")], each)
