"""A process of a test: puts 5,000 tasks and claims what it gets, until 20,000 are claimed."""

from __future__ import annotations

import asyncio
import sys

from fastapi_taskflow_core.backends.base import Claim
from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_testkit.builders import FUNCTION, a_task, beat_of, put


async def main(url: str, prefix: str, name: str) -> None:
    """Print the ids of the tasks that were claimed, and live on until the input ends."""
    backend = RedisBackend(url, prefix=prefix)
    await backend.open()
    await beat_of(backend, name)
    claimed: list[str] = []

    async def give() -> None:
        for _ in range(50):
            await put(backend, *(a_task(owner=None) for _ in range(100)), instance=name)

    async def take() -> None:
        while True:
            all_there = sum((await backend.unfinished()).values()) == 20_000
            some = await backend.claim(Claim(name, frozenset({FUNCTION})))
            claimed.extend(task.task_id for task in some)
            if all_there and not some:
                return

    await asyncio.gather(give(), take())
    print(*claimed, flush=True)  # noqa: T201  the answer
    sys.stdin.read()  # who leaves has its tasks claimed by the others
    await backend.close()


asyncio.run(main(*sys.argv[1:]))
