"""An application that counts primes without making other requests wait.

Run it with ``hatch run uvicorn processes:app --app-dir examples``. Each count runs in a process of
its own, which can be cancelled in the middle, and whose death harms nobody else.
"""

import os

from fastapi import FastAPI

from fastapi_taskflow import ManagedBackgroundTasks, TaskAdmin, TaskManager, task_log, task_progress

task_manager = TaskManager(max_process_workers=2)
app = FastAPI()
TaskAdmin(app, task_manager, auto_install=True)


@task_manager.task(executor="process", timeout=60, keep_result=True)
def count_primes(below: int) -> int:
    """Keeps a processor busy; says how far it is from its own process."""
    task_log(f"counting in process {os.getpid()}")
    found = 0
    for number in range(2, below):
        if number % 1000 == 0:
            task_progress(number, below)
        if all(number % divisor for divisor in range(2, int(number**0.5) + 1)):
            found += 1
    return found


@app.post("/primes/{below}")
async def ask(below: int, tasks: ManagedBackgroundTasks) -> str:
    return tasks.add_task(count_primes, below)


@app.get("/primes/{task_id}")
async def answer(task_id: str) -> int:
    """How many there are, once they are counted."""
    return int(task_manager.result_of(await task_manager.wait(task_id, 60)))


@app.get("/ping")
async def ping() -> int:
    """Answers at once, whatever is counted."""
    return os.getpid()
