"""Plain functions, in threads of our own."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..engine.live import LiveTask

_Job = Callable[[], None]


class ThreadExecutor:
    """A pool of daemon threads, made as they are needed.

    Its own, so that tasks never take the threads of request handlers; daemons, so that a
    call that cannot be stopped does not keep the process from ending. How many there may be
    is not decided here: whoever calls `run` sees to that.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0

    async def run(self, task: LiveTask, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call the function in a thread, which can be told to end, but not made to.

        When the wait is cancelled the thread goes on, as ``task.leftover``.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        stop = task.stop

        def job() -> None:
            result: Any = None
            error: BaseException | None = None
            if stop.raised:  # its end came before its thread: it was not run, and says so
                error = asyncio.CancelledError()
            else:
                try:
                    result = task.context.run(task.function.call, *args, **kwargs)
                except BaseException as raised:  # noqa: BLE001  handed to who waits
                    error = raised
            if not loop.is_closed():
                loop.call_soon_threadsafe(_hand_over, done, result, error)

        self._submit(job)
        task.leftover = done
        # Shielded: the thread settles it, however long it takes.
        return await asyncio.shield(done)

    async def stop(self) -> None:
        """Let idle threads end; busy ones end with what they do."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)
            self._threads = self._idle = 0
            self._jobs = queue.SimpleQueue()

    def _submit(self, job: _Job) -> None:
        with self._lock:
            self._jobs.put(job)
            if self._idle:
                self._idle -= 1
            else:
                self._threads += 1
                threading.Thread(
                    target=self._work, args=(self._jobs,), name="taskflow", daemon=True
                ).start()

    def _work(self, jobs: queue.SimpleQueue[_Job | None]) -> None:
        while (job := jobs.get()) is not None:
            job()
            del job
            with self._lock:
                if jobs is self._jobs:
                    self._idle += 1


def _hand_over(done: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if error is None:
        done.set_result(result)
    elif isinstance(error, StopIteration):  # which a future refuses to carry
        done.set_exception(RuntimeError(f"the task raised {error!r}"))
    else:
        done.set_exception(error)
        done.exception()  # seen, even if nobody waits for it any more
