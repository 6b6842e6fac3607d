"""A process of a test: puts 5,000 tasks and claims what it gets, until 20,000 are claimed."""

from __future__ import annotations

import asyncio
import sys

from fastapi_taskflow_core.backends.base import Claim
from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_testkit.builders import FUNCTION, a_task, beat_of, put


async def main(url: str, prefix: str, name: str) -> None:
    """Print the ids of the tasks that were claimed."""
    backend = RedisBackend(url, prefix=prefix)
    await backend.open()
    await beat_of(backend, name)
    claimed: list[str] = []

    async def give() -> None:
        for _ in range(50):
            await put(backend, *(a_task(owner=None) for _ in range(100)), instance=name)

    async def take() -> None:
        while True:
            some = await backend.claim(Claim(name, frozenset({FUNCTION})))
            claimed.extend(task.task_id for task in some)
            if not some and sum((await backend.unfinished()).values()) == 20_000:
                return

    await asyncio.gather(give(), take())
    await backend.close()
    print(*claimed)  # noqa: T201  the answer


asyncio.run(main(*sys.argv[1:]))
