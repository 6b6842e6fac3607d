"""Where a task waits for its turn, and who makes it run."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any

from .live import LiveTask
from .runner import Runner

logger = logging.getLogger(__name__)


class Lanes:
    """Starts tasks in asyncio tasks that belong to the engine, not to a request."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._running: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """How many tasks run, or are about to."""
        return len(self._running)

    def submit(self, task: LiveTask) -> asyncio.Task[None]:
        """Run the task as soon as it may."""
        return self._spawn(self._runner.run(task))

    def in_order(self, tasks: deque[LiveTask]) -> asyncio.Task[None]:
        """Run tasks one after another, those too that are appended meanwhile."""
        return self._spawn(self._one_by_one(tasks))

    async def idle(self, timeout: float) -> bool:
        """Wait until nothing runs; False if that took longer than *timeout* seconds."""
        if self._running:
            await asyncio.wait(self._running, timeout=timeout)
        return not self._running

    async def _one_by_one(self, tasks: deque[LiveTask]) -> None:
        while tasks:
            try:
                await self._runner.run(tasks.popleft())
            except Exception:
                logger.exception("a task could not be run; the next one goes on")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        running = asyncio.get_running_loop().create_task(work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return running
