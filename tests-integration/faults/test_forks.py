"""A process that is forked off after the start, as some servers and pools do."""

import asyncio
import json
import subprocess
import sys

PROGRAM = """
import asyncio, json, os, sys
from fastapi_taskflow_core.backends.base import Batch
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_testkit.builders import ME, a_task

backend = backend_from_url(sys.argv[1])
tasks = [a_task(persist=True, task_id=f"task-{number}") for number in range(3)]

async def write(number):
    await backend.write(Batch(ME, inserts=[tasks[number]]))

async def refused():
    try:
        await write(1)
    except BackendUnavailable as error:
        return str(error)
    return "nothing"

async def main():
    await backend.open()
    await write(0)
    said, says = os.pipe()
    child = os.fork()
    if child == 0:
        asyncio._set_running_loop(None)
        os.write(says, asyncio.new_event_loop().run_until_complete(refused()).encode())
        os._exit(0)
    _, code = os.waitpid(child, 0)
    await write(2)
    stored = [await backend.get(task.task_id) is not None for task in tasks]
    await backend.close()
    print(json.dumps([code, os.read(said, 1000).decode(), stored]))

asyncio.run(main())
"""


async def test_a_fork_is_told_to_open_the_storage_itself_and_harms_nobody(url):
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, url]
    done = await asyncio.to_thread(
        subprocess.run, command, check=True, stdout=subprocess.PIPE, timeout=60
    )
    code, said, stored = json.loads(done.stdout)
    print(f"the fork was told: {said}")
    assert code == 0
    assert "forked off" in said
    assert stored == [True, False, True]
