"""What a backend must do when its server is killed, frozen, or shared by many, as tests.

For backends whose data is on a server of its own. The file that imports everything from here
has three fixtures: ``private``, a `PrivateServer` that may be killed; ``connect``, which makes
a backend of a URL that gives up after so many seconds; and ``place``, the URL of an empty place
on any server, as `backend_from_url` takes it::

    from fastapi_taskflow_testkit.outages import *

    @pytest.fixture
    def connect() -> Connect:
        return lambda url, seconds: MyBackend(url, timeout=seconds)
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from fastapi_taskflow_core.backends.base import Backend, Capabilities, RollupQuery
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_core.records import TaskRecord

from .awake import AwakeClock
from .builders import a_task, put, stored
from .patience import insist, opened
from .servers import PrivateServer

Connect = Callable[[str, float], Backend]
PROCESSES, TASKS = 4, 5_000
_LONG = 10.0

_WORKER = """
import asyncio, sys
from fastapi_taskflow_core.backends.base import Claim
from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_testkit.builders import FUNCTION, a_beat, a_task, ended, put, started, update

url, name, count = *sys.argv[1:3], int(sys.argv[3])

async def put_all(backend):
    for _ in range(count // 100):
        await put(backend, *(a_task(persist=True, owner=None) for _ in range(100)), instance=name)

async def main():
    backend = backend_from_url(url)
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


async def test_no_acknowledged_task_is_lost_when_the_server_is_killed(
    private: PrivateServer, connect: Connect
) -> None:
    acknowledged: list[TaskRecord] = []
    more, ending = asyncio.Event(), asyncio.Event()

    async def write(backend: Backend) -> None:
        while not ending.is_set():
            task = a_task(persist=True)
            await insist(lambda task=task: put(backend, task))  # type: ignore[misc]
            acknowledged.append(task)
            if len(acknowledged) % 100 == 0:
                more.set()

    first = connect(private.url, _LONG)
    async with opened(first) as one, opened(first.another()) as two:
        writers = [asyncio.create_task(write(each)) for each in (one, two)]
        for _ in range(3):
            more.clear()
            await more.wait()
            private.kill()
            await asyncio.to_thread(private.start)
        ending.set()
        await asyncio.gather(*writers)
        for task in acknowledged:
            assert await stored(one, task) == task
    assert len(acknowledged) >= 300


async def test_a_server_that_comes_back_is_used_again_within_5_seconds(
    private: PrivateServer, connect: Connect
) -> None:
    async with opened(connect(private.url, _LONG)) as backend:
        await put(backend, a_task())
        private.stop()
        with pytest.raises(BackendUnavailable, match=str(private.port)):
            await put(backend, a_task())
        private.start()
        with AwakeClock() as clock:
            await insist(lambda: put(backend, a_task()))
        assert clock.seconds < 5


async def test_a_frozen_server_blocks_neither_the_loop_nor_its_callers(
    private: PrivateServer, connect: Connect
) -> None:
    async with opened(connect(private.url, 1)) as backend:
        await asyncio.gather(*(backend.get("x") for _ in range(8)))
        private.freeze()
        longest = 0.0
        calls = [put(backend, a_task()) for _ in range(10)] + [backend.get("x") for _ in range(10)]
        with AwakeClock() as clock:
            asking = asyncio.gather(*calls, return_exceptions=True)
            while not asking.done():
                before = clock.seconds
                await asyncio.sleep(0.01)
                longest = max(longest, clock.seconds - before)
        assert {type(answer) for answer in await asking} == {BackendUnavailable}
        assert clock.seconds < 4
        assert longest < 0.5
        private.thaw()
        await insist(lambda: put(backend, a_task()))


async def test_a_frozen_server_is_unavailable_when_it_isopened(
    private: PrivateServer, connect: Connect
) -> None:
    private.freeze()
    backend = connect(private.url, 1)
    with pytest.raises(BackendUnavailable):
        await backend.open()
    private.thaw()
    async with opened(backend):
        await put(backend, a_task())


async def test_four_that_open_an_empty_place_at_once_find_it_made_once(place: str) -> None:
    backends = [backend_from_url(place) for _ in range(4)]
    await asyncio.gather(*(backend.open() for backend in backends))
    task = a_task()
    await put(backends[0], task)
    assert [await stored(backend, task) for backend in backends] == [task] * 4
    assert backends[0].capabilities == Capabilities(survives_restart=True, shared=True)
    for backend in backends:
        await backend.close()


async def test_of_20000_tasks_put_and_claimed_by_four_processes_each_is_run_once(
    place: str,
) -> None:
    async with opened(backend_from_url(place)) as backend:
        processes = [
            subprocess.Popen(  # noqa: S603, ASYNC220  our own words
                [sys.executable, "-c", _WORKER, place, f"p{number}", str(TASKS)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(PROCESSES)
        ]
        said = await asyncio.gather(*(asyncio.to_thread(it.communicate) for it in processes))
        assert [process.returncode for process in processes] == [0] * PROCESSES
        shares = [output.split() for output, _ in said]
        assert all(shares), "one process was given nothing"
        times = Counter(task_id for share in shares for task_id in share)
        assert len(times) == PROCESSES * TASKS
        assert set(times.values()) == {1}
        counted = await backend.rollups(RollupQuery("hour"))
        done = sum(value.n for key, value in counted.items() if key.event == "success")
        assert done == PROCESSES * TASKS


__all__ = ["Connect"]
__all__ += [name for name in dir() if name.startswith("test_")]
