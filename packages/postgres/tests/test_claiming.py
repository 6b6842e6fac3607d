"""Many processes put and claim at once: each task goes to one of them, and none is lost."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from postgres_tools import run

PROCESSES, TASKS = 4, 5_000
WORKER = """
import asyncio, sys
from fastapi_taskflow_core.backends.base import Claim
from fastapi_taskflow_postgres import PostgresBackend
from fastapi_taskflow_testkit.builders import FUNCTION, a_beat, a_task, ended, put, started, update

url, schema, name, count = *sys.argv[1:4], int(sys.argv[4])

async def put_all(backend):
    for _ in range(count // 100):
        await put(backend, *(a_task(persist=True, owner=None) for _ in range(100)), instance=name)

async def main():
    backend = PostgresBackend(url, schema=schema)
    await backend.open()
    await backend.beat(a_beat(name))
    putting = asyncio.create_task(put_all(backend))
    wanted, claimed, idle = Claim(name, frozenset({FUNCTION}), 100), [], 0
    while not putting.done() or idle < 20:
        taken = await backend.claim(wanted)
        idle = 0 if taken else idle + 1
        claimed += [task.task_id for task in taken]
        done = [ended(started(task)) for task in taken]
        assert not (await update(backend, *done, instance=name)).refused
        if not taken:
            await asyncio.sleep(0.05)
    await putting
    await backend.close()
    print(*claimed)

asyncio.run(main())
"""


def test_of_20000_tasks_put_and_claimed_by_four_processes_each_is_run_once(
    url: str, schema: str
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, url, schema, f"p{n}", str(TASKS)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    shares = [process.communicate(timeout=50)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES
    assert all(shares), "one process was given nothing"
    times = Counter(task_id for share in shares for task_id in share)
    assert len(times) == PROCESSES * TASKS
    assert set(times.values()) == {1}
    counted = run(
        url,
        f"SELECT SUM(n) FROM {schema}.taskflow_rollups WHERE resolution = 'hour' AND event = 'success'",
    )
    assert counted == [(PROCESSES * TASKS,)]
