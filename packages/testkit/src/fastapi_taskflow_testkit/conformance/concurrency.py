"""Nobody sees half an operation, whatever happens at the same time."""

from __future__ import annotations

import asyncio
import threading

from fastapi_taskflow_core.backends.base import Backend, Batch, Query
from fastapi_taskflow_core.records import TaskStatus

from ..builders import ME, a_beat, a_task, ended, put, several, started, stored, update


async def test_nobody_sees_half_a_batch(backend: Backend, second: Backend) -> None:
    done = asyncio.Event()

    async def write() -> None:
        for round_ in range(30):
            names = (f"{round_}-a", f"{round_}-b", f"{round_}-c")
            await put(backend, *(a_task(task_id=name) for name in names))
            await asyncio.sleep(0)
        done.set()

    async def read() -> None:
        while not done.is_set():
            page = await second.query(Query(limit=1_000))
            assert len(page.tasks) % 3 == 0, "a reader saw a part of a batch"
            await asyncio.sleep(0)

    await asyncio.gather(write(), read())


async def test_writers_on_several_connections_lose_nothing(backend: Backend) -> None:
    async with several(backend, 4) as connections:

        async def write(own: Backend, name: str) -> None:
            for i in range(50):
                task = a_task(task_id=f"{name}-{i}", owner=name)
                await put(own, task, instance=name)
                assert not (await update(own, ended(started(task)), instance=name)).refused

        await asyncio.gather(*(write(own, f"w{n}") for n, own in enumerate(connections)))
    page = await backend.query(Query(limit=1_000))
    assert len(page.tasks) == 200
    assert {task.status for task in page.tasks} == {TaskStatus.SUCCESS}


async def test_of_rival_updates_of_one_task_one_is_final(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    rivals = [ended(task, seconds=n) for n in range(1, 9)]
    async with several(backend, 4) as connections:
        answers = await asyncio.gather(
            *(update(connections[n % 4], rival) for n, rival in enumerate(rivals))
        )
    winners = [r for r, a in zip(rivals, answers, strict=True) if not a.refused]
    assert winners == [await stored(backend, task)]


async def test_another_connection_works_on_the_loop_of_another_thread(backend: Backend) -> None:
    another = backend.another()
    alive: list[bool] = []

    async def beat_elsewhere() -> None:
        await another.open()
        alive.extend([(await another.beat(a_beat())).alive for _ in range(20)])
        await another.close()

    thread = threading.Thread(target=lambda: asyncio.run(beat_elsewhere()))
    thread.start()
    for _ in range(20):
        await backend.write(Batch(ME, inserts=[a_task()]))
    await asyncio.to_thread(thread.join, 30)
    assert alive == [True] * 20
