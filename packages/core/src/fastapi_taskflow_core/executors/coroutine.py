"""Async functions, on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Mapping
from contextvars import Context
from typing import Any

from ..engine.live import LiveTask


class CoroutineExecutor:
    """Runs an async function inside the asyncio task that asks for it.

    The function sees the context variables of its own context, but needs no asyncio task
    of its own: that is what makes a short task cheap.
    """

    async def run(self, task: LiveTask, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Await the function in the task's context; cancelled by ``task.interrupt``."""
        asking = asyncio.current_task()
        assert asking is not None
        coroutine = task.context.run(task.function.call, *args, **kwargs)
        task.interrupt = asking.cancel
        try:
            return await _InContext(coroutine, task.context)
        finally:
            task.interrupt = None

    async def stop(self) -> None:
        """There is nothing to let go of."""


class _InContext:
    """Awaits a coroutine, each step of it within a given context."""

    __slots__ = ("_context", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], context: Context) -> None:
        self._coroutine = coroutine
        self._context = context

    def __await__(self) -> Generator[Any, Any, Any]:
        run, coroutine = self._context.run, self._coroutine
        try:
            waits_for = run(coroutine.send, None)
            while True:
                try:
                    answer = yield waits_for
                except GeneratorExit:
                    run(coroutine.close)
                    raise
                except BaseException as error:  # noqa: BLE001  it is the coroutine's to handle
                    waits_for = run(coroutine.throw, error)
                else:
                    waits_for = run(coroutine.send, answer)
        except StopIteration as returned:
            return returned.value
