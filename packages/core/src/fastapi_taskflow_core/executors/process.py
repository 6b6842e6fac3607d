"""Plain functions, in processes of our own that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, assert_never

from ..context import Ambient, current
from ..engine.live import LiveTask
from ..errors import RemoteTraceback, WorkerDied
from .parcels import Job, Line, Raised, Returned, Step, pack_arguments, unpack
from .worker import work

# Not fork: a copy of a process with threads and open connections is not safe to use.
_SPAWN = multiprocessing.get_context("spawn")


class ProcessExecutor:
    """Worker processes, each started when no other is idle.

    How many there may be is not decided here: whoever calls `run` sees to that. A pool of
    the standard library will not do, because it is lost as a whole when one worker dies.

    Args:
        patience: Seconds that workers get to end by themselves at `stop`.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._idle: list[_Worker] = []
        self._workers: set[_Worker] = set()

    async def run(self, task: LiveTask, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call the function in a worker, which is killed if the wait is cancelled."""
        job = _job(task, args, kwargs)
        voice = task.context[current]
        assert voice is not None
        asking = asyncio.current_task()
        assert asking is not None
        worker = self._idle.pop() if self._idle else self._new_worker()
        task.interrupt = asking.cancel
        usable = False
        try:
            result = await worker.do(job, voice)
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

    def _new_worker(self) -> _Worker:
        worker = _Worker(self._patience)
        self._workers.add(worker)
        worker.gone.add_done_callback(lambda _: self._workers.discard(worker))
        return worker


def _job(task: LiveTask, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Job:
    record, function = task.record, task.function
    return Job(
        function.call.__module__,
        function.call.__qualname__,
        task.parcel or pack_arguments((args, kwargs)),
        record.task_id,
        record.func_name,
        record.attempt,
        dict(record.tags or {}),
        function.options.keep_result,
    )


@dataclass(slots=True)
class _Order:
    """A job, who hears what it says, and who waits for its end."""

    job: Job
    voice: Ambient
    answer: asyncio.Future[Any]

    def settle(self, result: Any, error: BaseException | None) -> None:
        """The job is over."""
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(result)
        elif isinstance(error, StopIteration):  # which a future refuses to carry
            self.answer.set_exception(RuntimeError(f"the task raised {error!r}"))
        else:
            self.answer.set_exception(error)


class _Worker:
    """One process, and the thread that starts it, gives it jobs and listens to it."""

    def __init__(self, patience: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._pipe, self._far_end = _SPAWN.Pipe()
        # A daemon never outlives this process, however that ends.
        self._process = _SPAWN.Process(
            target=work, args=(self._far_end,), name="taskflow-worker", daemon=True
        )
        self._lock = Lock()
        self._killed = False
        self.gone: asyncio.Future[None] = self._loop.create_future()
        """Done when the process has ended."""
        Thread(target=self._live, name="taskflow-worker", daemon=True).start()

    async def do(self, job: Job, voice: Ambient) -> Any:
        """Have *job* done; *voice* hears what is said meanwhile.

        Raises:
            WorkerDied: The process ended before the job did.
            BaseException: What the function raised, caused by its traceback as text.
        """
        order = _Order(job, voice, self._loop.create_future())
        self._orders.put(order)
        return await order.answer

    def kill(self) -> None:
        """End the process at once, whatever it does. Twice is once."""
        with self._lock:
            self._killed = True
            if self._process.pid is not None:
                self._process.kill()
        self._orders.put(None)

    def dismiss(self) -> None:
        """Let the process end by itself; it is killed if that takes too long."""
        self._orders.put(None)

    def _live(self) -> None:
        try:
            while (order := self._orders.get()) is not None:
                try:
                    answer = self._serve(order)
                except BaseException as error:  # noqa: BLE001  it is the answer
                    self._on_loop(order.settle, None, error)
                    if isinstance(error, WorkerDied):
                        return
                else:
                    self._on_loop(order.settle, answer, None)
        finally:
            self._bury()
            self._on_loop(self.gone.set_result, None)

    def _serve(self, order: _Order) -> Any:
        answer = self._answer(order)
        if isinstance(answer, Returned):
            return None if answer.value is None else unpack(answer.value)
        raise unpack(answer.error) from RemoteTraceback(answer.traceback)

    def _answer(self, order: _Order) -> Returned | Raised:
        """Hand the job over and listen until it is done.

        Raises:
            WorkerDied: The process ended, or said what cannot be read, which is its end too.
        """
        try:
            if self._process.pid is None:
                self._start()
            self._pipe.send(order.job)
            while True:
                message = self._pipe.recv()
                match message:
                    case Line():
                        order.voice.log(message.level, message.message, message.extra)
                    case Step():
                        order.voice.progress(message.done, message.total, message.message)
                    case Returned() | Raised():
                        return message
                    case _:
                        assert_never(message)
        except WorkerDied:
            raise
        except (EOFError, OSError):
            self._process.join(self._patience)
            raise WorkerDied(self._process.exitcode) from None
        except Exception as error:
            self.kill()
            raise WorkerDied(None) from error

    def _start(self) -> None:
        with self._lock:
            if self._killed:
                raise WorkerDied(None)
            self._process.start()
        self._far_end.close()  # from now on its end is the end of the pipe

    def _on_loop(self, call: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody waits
            self._loop.call_soon_threadsafe(call, *args)

    def _bury(self) -> None:
        self._pipe.close()
        self._far_end.close()
        if self._process.pid is not None:
            self._process.join(self._patience)
            if self._process.exitcode is None:
                self._process.kill()
                self._process.join()
            self._process.close()
