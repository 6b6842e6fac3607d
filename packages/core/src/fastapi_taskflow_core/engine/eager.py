"""Starting a coroutine at once, in an asyncio task of its own.

A short task is then over before the event loop turns, and the request that waits for it is
never suspended: under load that halves what a task costs, because the garbage collector
finds no crowd of half-finished requests.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Generator
from typing import Any

if sys.version_info >= (3, 12):

    def start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run *work* up to its first real wait; what is left is an asyncio task, or None."""
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
        return None if task.done() else task

else:

    def start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run *work* up to its first real wait; what is left is an asyncio task, or None."""
        loop = asyncio.get_running_loop()
        begun = _Begun(work)
        task = loop.create_task(begun.rest())
        caller = asyncio.current_task()
        # The functions that "Extending asyncio" of the Python manual gives to those who
        # make tasks: whatever asks for the current task in the first step gets the new one.
        if caller is not None:
            asyncio.tasks._leave_task(loop, caller)  # noqa: SLF001
        asyncio.tasks._enter_task(loop, task)  # noqa: SLF001
        try:
            begun.step()
        finally:
            asyncio.tasks._leave_task(loop, task)  # noqa: SLF001
            if caller is not None:
                asyncio.tasks._enter_task(loop, caller)  # noqa: SLF001
        return None if begun.over else task


class _Begun:
    """A coroutine whose first step is made before its asyncio task makes the others."""

    __slots__ = ("_error", "_waits_for", "_work", "over")

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = work
        self.over = False
        self._waits_for: Any = None
        self._error: BaseException | None = None

    def step(self) -> None:
        """Make the first step."""
        try:
            self._waits_for = self._work.send(None)
        except StopIteration:
            self.over = True
        except BaseException as error:  # noqa: BLE001  raised where the task is awaited
            self.over, self._error = True, error

    async def rest(self) -> None:
        """Make the other steps."""
        if self._error is not None:
            raise self._error
        if not self.over:
            await self

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    answer = yield waits_for
                except BaseException as error:  # noqa: BLE001  it is the coroutine's to handle
                    waits_for = self._work.throw(error)
                else:
                    waits_for = self._work.send(answer)
        except StopIteration:
            return
