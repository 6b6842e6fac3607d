"""The application whose dashboard is measured: it runs as many tasks as it is asked to.

``BENCH_DB`` is its SQLite file.
"""

import asyncio
import os
import time

from fastapi import FastAPI

from fastapi_taskflow import TaskAdmin, TaskManager, task_log

manager = TaskManager(snapshot_db=os.environ["BENCH_DB"])
app = FastAPI()
TaskAdmin(app, manager, auth=False)

LISTS, LIST = 10, 100
ATTEMPTS, LINES = 10, 900
TURN = 0.01


@manager.task()
async def work() -> None:
    """A task that does nothing."""


@manager.task(retries=ATTEMPTS - 1, delay=0)
async def talk(pause: float) -> None:
    """A task that says a line now and then, and fails: only so many of an attempt are kept."""
    for number in range(LINES):
        task_log(f"line {number} of {LINES}", number=number)
        await asyncio.sleep(pause)
    raise RuntimeError("once more")


@app.post("/talk")
async def start_talking(seconds: float) -> str:
    """Start it, to go on for so long; its id."""
    return await manager.enqueue(talk, seconds / ATTEMPTS / LINES)


@app.post("/run")
async def run(tasks: int) -> dict[str, float]:
    """Run so many tasks as fast as it goes; seconds of a processor."""
    began = time.process_time()

    async def requests() -> None:
        for _ in range(tasks // LISTS // LIST):
            some = manager.new_list()
            for _ in range(LIST):
                some.add_task(work)
            await some.finish()

    await asyncio.gather(*(requests() for _ in range(LISTS)))
    await manager.history.metrics()
    return {"cpu": time.process_time() - began}


@app.get("/worked")
async def worked() -> float:
    """Seconds of a processor that this process has had."""
    return time.process_time()


@app.post("/pace")
async def pace(rate: float, seconds: float) -> dict[str, float]:
    """Run so many tasks a second, each of which is three events; how many it were."""
    began, added = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        some = manager.new_list()
        for _ in range(added, int(passed * rate)):
            some.add_task(work)
            added += 1
        some.run()
        await asyncio.sleep(TURN)
    return {"seconds": time.perf_counter() - began, "tasks": added}
