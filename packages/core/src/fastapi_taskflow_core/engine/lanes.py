"""Where a task waits for its turn, and who makes it run."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from .eager import Starter
from .live import Latch, LiveTask
from .runner import Runner

logger = logging.getLogger(__name__)


class Lanes:
    """Starts tasks in asyncio tasks that belong to the engine, not to a request."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._running: set[asyncio.Task[None]] = set()
        self._starter = Starter()

    @property
    def running(self) -> int:
        """How many tasks run, or are about to."""
        return len(self._running)

    def submit(self, task: LiveTask) -> None:
        """Run the task as soon as it may."""
        self._keep(asyncio.get_running_loop().create_task(self._run(deque([task]))))

    def in_order(self, line: deque[LiveTask], lane: Latch, *, at_once: bool) -> None:
        """Run tasks one after another, those too that join the line meanwhile.

        While the line is being run, *lane* counts one more. *at_once*: the first task
        begins before this returns.
        """
        lane.up()
        work = self._run(line, lane)
        self._keep(
            self._starter.start(work) if at_once else asyncio.get_running_loop().create_task(work)
        )

    def stop(self) -> None:
        """Keep nothing in reserve any more."""
        self._starter.stop()

    async def idle(self, timeout: float) -> bool:
        """Wait until nothing runs; False if that took longer than *timeout* seconds."""
        if self._running:
            await asyncio.wait(self._running, timeout=timeout)
        return not self._running

    async def _run(self, line: deque[LiveTask], lane: Latch | None = None) -> None:
        try:
            while line:
                task = line.popleft()
                try:
                    await self._runner.run(task)
                except Exception:
                    logger.exception("task %s could not be run", task.record.task_id)
        finally:
            if lane is not None:
                lane.down()

    def _keep(self, running: asyncio.Task[None] | None) -> None:
        if running is not None:
            self._running.add(running)
            running.add_done_callback(self._running.discard)
