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

        def start(self, work: Work, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None] | None:
            """Run *work* up to its first real wait; what is left is an asyncio task, or None."""
            task = asyncio.Task(work, loop=loop, eager_start=True)
            return None if task.done() else task

        def stop(self) -> None:
            """There is nothing to let go of."""

else:
    # The functions that "Extending asyncio" of the Python manual gives to those who make tasks.
    from asyncio.tasks import _enter_task, _leave_task

    class Starter:
        """Starts coroutines, each in an asyncio task of its own.

        One asyncio task stands by. A coroutine makes its first step in its name; if that is
        all, the task goes on standing by, otherwise it makes the other steps.
        """

        def __init__(self) -> None:
            self._standby: _Standby | None = None

        def start(self, work: Work, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None] | None:
            """Run *work* up to its first real wait; what is left is an asyncio task, or None."""
            standby = self._standby
            if standby is None or not standby.ready(loop):
                standby = self._standby = _Standby(loop)
            caller = asyncio.current_task(loop)
            # Whatever asks for the current task in the first step gets the one that stands by.
            if caller is not None:
                _leave_task(loop, caller)
            _enter_task(loop, standby.task)
            try:
                waits_for = work.send(None)
            except StopIteration:
                return None
            finally:
                _leave_task(loop, standby.task)
                if caller is not None:
                    _enter_task(loop, caller)
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
        begun = _Begun(work, waits_for)
        if self.task.cancelling():
            # The first step cancelled the asyncio task that it ran in, which has nothing of
            # *work* yet and ends without it.
            return self._loop.create_task(begun.cut_off())
        self._given.set_result(begun)
        return self.task

    async def _serve(self) -> None:
        await (await self._given)


class _Begun:
    """Awaits what is left of a coroutine whose first step was made elsewhere."""

    __slots__ = ("_waits_for", "_work")

    def __init__(self, work: Work, waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for

    async def cut_off(self) -> None:
        """Let the coroutine know that it was cancelled, and go on with it."""
        try:
            self._waits_for = self._work.throw(asyncio.CancelledError())
        except StopIteration:
            return
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
