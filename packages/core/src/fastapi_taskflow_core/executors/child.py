"""A process of our own that runs tasks, and the thread that starts it and speaks with it."""

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


class Child:
    """The process, asked from the event loop: it does one job after the other."""

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

    async def do(self, task: LiveTask, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Have the task's function called; the task hears what it says meanwhile.

        Raises:
            TaskArgumentError: An argument cannot be pickled.
            WorkerDied: The process ended before the call did.
            BaseException: What the function raised, caused by its traceback as text.
        """
        voice = task.context[current]
        assert voice is not None
        order = _Order(_job(task, args, kwargs), voice, self._loop.create_future())
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
