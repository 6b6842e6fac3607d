"""Starting a coroutine at once, in an asyncio task of its own.

A short task is then over before the event loop turns, and the request that waits for it is
never suspended: under load the garbage collector finds no crowd of half-finished requests.
Python 3.12 has this built in; for 3.11 the same is made here.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Generator
from typing import Any

Work = Coroutine[Any, Any, None]

if sys.version_info >= (3, 12):

    class Starter:
        """Starts coroutines, each in an asyncio task of its own."""

        def start(self, work: Work) -> asyncio.Task[None] | None:
            """Run *work* up to its first real wait; what is left is an asyncio task, or None."""
            task = asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
            return None if task.done() else task

        def stop(self) -> None:
            """There is nothing to let go of."""

else:

    class Starter:
        """Starts coroutines, each in an asyncio task of its own.

        One asyncio task stands by. A coroutine makes its first step in its name; if that is
        all, the task goes on standing by, otherwise it makes the other steps.
        """

        def __init__(self) -> None:
            self._standby: _Standby | None = None

        def start(self, work: Work) -> asyncio.Task[None] | None:
            """Run *work* up to its first real wait; what is left is an asyncio task, or None."""
            loop = asyncio.get_running_loop()
            standby = self._standby
            if standby is None or not standby.ready(loop):
                standby = self._standby = _Standby(loop)
            caller = asyncio.current_task()
            # The functions that "Extending asyncio" of the Python manual gives to those who
            # make tasks: whatever asks for the current task in the first step gets that one.
            if caller is not None:
                asyncio.tasks._leave_task(loop, caller)  # noqa: SLF001
            asyncio.tasks._enter_task(loop, standby.task)  # noqa: SLF001
            try:
                waits_for = work.send(None)
            except StopIteration:
                return None
            finally:
                asyncio.tasks._leave_task(loop, standby.task)  # noqa: SLF001
                if caller is not None:
                    asyncio.tasks._enter_task(loop, caller)  # noqa: SLF001
            self._standby = None
            return standby.take_over(work, waits_for)

        def stop(self) -> None:
            """Let go of the asyncio task that stands by."""
            standby, self._standby = self._standby, None
            if standby is not None:
                standby.task.cancel()


class _Standby:
    """An asyncio task that waits for a coroutine whose first step is made."""

    __slots__ = ("_given", "_loop", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._given: asyncio.Future[_Begun] = loop.create_future()
        self.task = loop.create_task(self._serve())

    def ready(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether it can be used on this event loop."""
        return self._loop is loop and not self.task.done() and not self.task.cancelling()

    def take_over(self, work: Work, waits_for: Any) -> asyncio.Task[None]:
        """Make the other steps of *work*, whose first one ended in waiting."""
        self._given.set_result(_Begun(work, waits_for))
        return self.task

    async def _serve(self) -> None:
        await (await self._given)


class _Begun:
    """Awaits what is left of a coroutine whose first step was made elsewhere."""

    __slots__ = ("_waits_for", "_work")

    def __init__(self, work: Work, waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for

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
