"""What runs inside a worker process: one job after the other, until the pipe is closed."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import traceback
from importlib import import_module
from multiprocessing.connection import Connection, wait
from operator import attrgetter
from threading import Lock, Thread
from typing import Any

from ..context import TaskContext, current
from ..records import LogLevel
from .parcels import Job, Line, Message, Raised, Returned, Step, pack, pack_error, unpack


def work(pipe: Connection[Message, Job]) -> None:
    """Do the jobs that come through *pipe*."""
    # Who presses Ctrl-C means the application, which then says what becomes of its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_follow_parent, daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            job = pipe.recv()
            pipe.send(_done(job, pipe))


def _follow_parent() -> None:
    """End with the process that we work for: its tasks are others' then."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _done(job: Job, pipe: Connection[Message, Job]) -> Message:
    token = current.set(_Voice(job, pipe))
    try:
        call = attrgetter(job.qualname)(import_module(job.module))
        args, kwargs = unpack(job.parcel)
        result = call(*args, **kwargs)
        return Returned(pack(result) if job.keep_result else None)
    except BaseException as error:  # noqa: BLE001  whatever the task raises is its outcome
        return Raised(pack_error(error), _traceback(error))
    finally:
        current.reset(token)


def _traceback(error: BaseException) -> str:
    """The traceback from the task's own function on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.TracebackException(type(error), error, frames).format())


class _Voice:
    """What the running task says, on its way to the process that gave the job."""

    def __init__(self, job: Job, pipe: Connection[Message, Job]) -> None:
        self.context = TaskContext(job.task_id, job.func_name, job.attempt, job.tags)
        self._pipe = pipe
        self._lock = Lock()

    def log(self, level: LogLevel, message: str, extra: dict[str, Any] | None) -> None:
        """Send a line. From any thread."""
        self._send(Line(level, message, extra), Line(level, message, _shown(extra)))

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        """Send how far the task is. From any thread."""
        step = Step(done, total, message)
        self._send(step, step)

    def _send(self, message: Message, plain: Message) -> None:
        with self._lock:
            try:
                self._pipe.send(message)
            except (AttributeError, TypeError, ValueError):  # what was said cannot be pickled
                self._pipe.send(plain)


def _shown(extra: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if extra is None else {name: str(value) for name, value in extra.items()}
