"""Async functions, on the event loop."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Generator, Mapping
from typing import Any

from ..engine.live import LiveTask


class CoroutineExecutor:
    """Runs an async function inside the asyncio task that asks for it.

    The function sees the context variables of its own context, but needs no asyncio task
    of its own: that is what makes a short task cheap.
    """

    @types.coroutine
    def run(
        self, task: LiveTask, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Generator[Any, Any, Any]:
        """Await the function in the task's context; cancelled by ``task.interrupt``."""
        run = task.context.run
        coroutine = run(task.function.call, *args, **kwargs)
        step = coroutine.send
        try:
            waits_for = run(step, None)
            # It does wait: until here, nobody but itself could ask it to end.
            asking = asyncio.current_task()
            assert asking is not None
            task.interrupt = asking.cancel
            if task.stop_reason is not None:
                asking.cancel()
            while True:
                try:
                    answer = yield waits_for
                except GeneratorExit:
                    run(coroutine.close)
                    raise
                except BaseException as error:  # noqa: BLE001  it is the coroutine's to handle
                    waits_for = run(coroutine.throw, error)
                else:
                    waits_for = run(step, answer)
        except StopIteration as returned:
            return returned.value
        finally:
            task.interrupt = None

    async def stop(self) -> None:
        """There is nothing to let go of."""
