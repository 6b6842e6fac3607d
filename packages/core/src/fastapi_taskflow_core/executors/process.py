"""Plain functions, in processes of our own that can be killed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..engine.live import LiveTask
from ..errors import WorkerDied

if TYPE_CHECKING:
    from .child import Child


class ProcessExecutor:
    """Worker processes, each started when no other is idle.

    How many there may be is not decided here: whoever calls `run` sees to that. A pool of
    the standard library will not do, because it is lost as a whole when one worker dies.

    Args:
        patience: Seconds that workers get to end by themselves at `stop`.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._idle: list[Child] = []
        self._workers: set[Child] = set()

    async def run(self, task: LiveTask, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call the function in a worker, which is killed if the wait is cancelled."""
        asking = asyncio.current_task()
        assert asking is not None
        worker = self._idle.pop() if self._idle else self._new_worker()
        task.interrupt = asking.cancel
        usable = False
        try:
            result = await worker.do(task, args, kwargs)
            usable = True
        except asyncio.CancelledError:
            worker.kill()
            raise
        except WorkerDied:
            raise
        except MemoryError:
            worker.kill()  # what it holds may leave no room for the next task
            raise
        except BaseException:
            usable = True  # the function failed, not the process
            raise
        else:
            return result
        finally:
            task.interrupt = None
            if usable:
                self._idle.append(worker)

    async def stop(self) -> None:
        """End every worker: idle ones go by themselves, the others are killed."""
        for worker in self._workers:
            if worker in self._idle:
                worker.dismiss()
            else:
                worker.kill()
        self._idle.clear()
        if self._workers:
            await asyncio.wait([worker.gone for worker in self._workers])

    def _new_worker(self) -> Child:
        # What it needs takes long to import, and most applications have no use for it.
        from .child import Child  # noqa: PLC0415

        worker = Child(self._patience)
        self._workers.add(worker)
        worker.gone.add_done_callback(lambda _: self._workers.discard(worker))
        return worker
