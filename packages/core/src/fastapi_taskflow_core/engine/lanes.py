"""The asyncio tasks in which tasks run: one for each request's line, one for any other task."""

from __future__ import annotations

import asyncio
import logging

from .delays import Delays
from .eager import Starter
from .live import Lane, LiveTask
from .runner import Runner
from .turns import Turns

logger = logging.getLogger(__name__)


class Lanes:
    """Starts tasks, each when it is its turn, in asyncio tasks that belong to the engine."""

    def __init__(self, runner: Runner, turns: Turns, delays: Delays) -> None:
        self._runner = runner
        self._turns = turns
        self._delays = delays
        self._busy: set[asyncio.Task[None]] = set()
        self._starter = Starter()

    @property
    def running(self) -> int:
        """How many tasks run by themselves, and how many lines have not come to their end."""
        return len(self._busy)

    def place(self, task: LiveTask) -> None:
        """Run the task when its hour has come and it is its turn."""
        wait = self._delays.seconds(task)
        if wait > 0:
            self._delays.put_off(task, wait, self.submit)
        else:
            self.submit(task)

    def submit(self, task: LiveTask) -> None:
        """Run the task when it is its turn."""

        def called(begins: bool) -> None:
            if begins:
                self._keep(asyncio.get_running_loop().create_task(self._run(task)))

        self._turns.wait(task, called)

    def in_order(self, lane: Lane, *, at_once: bool) -> None:
        """Run the tasks of a lane one after another, those too that join it meanwhile.

        While they run, *lane* counts one more. *at_once*: the first task begins before this
        returns, if there is room for it.
        """
        lane.up()
        work = self._run_lane(lane)
        self._keep(self._starter.start(work, lane.loop) if at_once else lane.loop.create_task(work))

    def stop(self) -> None:
        """Keep nothing in reserve any more."""
        self._starter.stop()

    async def idle(self, timeout: float) -> bool:
        """Wait until nothing runs; False if that took longer than *timeout* seconds."""
        if self._busy:
            await asyncio.wait(self._busy, timeout=timeout)
        return not self._busy

    async def _run_lane(self, lane: Lane) -> None:
        tasks = lane.tasks
        try:
            while tasks:
                task = tasks.popleft()
                if self._turns.enter(task) or await self._turn(task):
                    await self._run(task)
        finally:
            lane.down()

    async def _turn(self, task: LiveTask) -> bool:
        """Wait until there is room for the task; False if it is not to run."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def called(begins: bool) -> None:
            if not turn.done():
                turn.set_result(begins)
            elif begins:
                self._turns.leave(task)

        if task.gone or task.record.status.finished:
            return False
        self._turns.wait(task, called)
        return await turn

    async def _run(self, task: LiveTask) -> None:
        try:
            wait = await self._runner.run(task)
            if wait is not None:
                self._delays.put_off(task, wait, self.submit)
        except Exception:
            logger.exception("task %s could not be run", task.record.task_id)
        finally:
            self._turns.leave(task)

    def _keep(self, running: asyncio.Task[None] | None) -> None:
        if running is not None:
            self._busy.add(running)
            running.add_done_callback(self._busy.discard)
