"""A program whose storage is away while it runs many tasks that nobody was promised."""

import asyncio
import json
import sys
from typing import Any

from fleet import eventually
from memory import memory

from fastapi_taskflow import TaskManager
from fastapi_taskflow.backends import SqliteBackend
from fastapi_taskflow_core.engine.journal import CAPACITY
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_testkit.faults import ExposedBackend, Weather
from fastapi_taskflow_testkit.faults.weather import Call

AT_ONCE = 500


class Away:
    """A storage that refuses, or one that is silent for as long as the outage lasts."""

    def __init__(self, *, silent: bool) -> None:
        self._over = asyncio.Event()
        self._silent = silent

    def end(self) -> None:
        """It is back."""
        self._over.set()

    async def __call__(self, call: Call) -> Any:
        if self._silent:
            await self._over.wait()
        raise BackendUnavailable("away")


async def main(database: str, how: str, number: int, words: int) -> None:
    """Run *number* tasks that fail with so many letters, and tell what it cost."""
    weather, away = Weather(), Away(silent=how == "silent")
    manager = TaskManager(snapshot_backend=ExposedBackend(SqliteBackend(database), weather))

    @manager.task()
    async def work(number: int) -> None:
        raise ValueError(f"{number}".zfill(words))

    async def run(number: int) -> float:
        most = 0.0
        for _ in range(0, number, AT_ONCE):
            for each in range(AT_ONCE):
                await manager.enqueue(work, each)
            await asyncio.sleep(0)
            most = max(most, memory())
        return most

    await manager.startup()
    await run(2_000)
    await manager.history.metrics()  # everything is written
    before = memory()
    weather.bring(away, "write", times=None)
    most = await run(number)
    await eventually(lambda: manager.health().buffered <= CAPACITY, "what waits is bounded")
    away.end()
    weather.clear()
    unfinished = True
    while unfinished:
        counts = (await manager.history.metrics()).overall.counts
        unfinished = any(count for status, count in counts.items() if not status.finished)
    dropped = manager.health().dropped
    await manager.shutdown()
    print(json.dumps({"grown": most - before, "dropped": dropped}))


if __name__ == "__main__":
    _, database, how, number, words = sys.argv
    asyncio.run(main(database, how, int(number), int(words)))
