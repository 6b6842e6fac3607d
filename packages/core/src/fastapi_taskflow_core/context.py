"""What code inside a task can ask and say, from any depth of calls."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import checks
from .errors import TaskCancelled
from .records import LogLevel
from .wording import storable

LEVELS: dict[LogLevel, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_outside = logging.getLogger("fastapi_taskflow.task")


class StopFlag:
    """Raised to tell a task, in a thread or not, that its end is wanted."""

    __slots__ = ("raised",)

    def __init__(self) -> None:
        self.raised = False


@dataclass(frozen=True, slots=True)
class TaskContext:
    """The task that this code runs in. ``attempt`` counts from 0."""

    task_id: str
    func_name: str
    attempt: int
    tags: dict[str, str]
    stop: StopFlag = field(default_factory=StopFlag, repr=False, compare=False)

    @property
    def cancelled(self) -> bool:
        """Whether the task should end: it was cancelled, timed out, or its process stops."""
        return self.stop.raised

    def raise_if_cancelled(self) -> None:
        """Leave the task if its end is wanted.

        Raises:
            TaskCancelled: The task should end now.
        """
        if self.stop.raised:
            raise TaskCancelled(self.task_id)


class Ambient(Protocol):
    """The running task, as the functions below see it."""

    @property
    def context(self) -> TaskContext:
        """Who is running."""

    def log(self, level: LogLevel, message: str, extra: dict[str, Any] | None) -> None:
        """Keep a line. From any thread."""

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        """Keep how far the task is. From any thread."""


current: ContextVar[Ambient | None] = ContextVar("fastapi_taskflow_task", default=None)


def get_task_context() -> TaskContext | None:
    """The task that the calling code runs in, None outside of one."""
    ambient = current.get()
    return None if ambient is None else ambient.context


def task_log(message: str, *, level: LogLevel = "info", **extra: Any) -> None:
    """Store a line with the running task and send it to the observers.

    Outside a task it goes to the standard logger ``fastapi_taskflow.task``.

    Args:
        message: The line; anything else than text is shown by ``str``.
        level: ``"debug"``, ``"info"``, ``"warning"`` or ``"error"``.
        extra: Structured fields for the observers.
    """
    checks.one_of("level", level, LEVELS)
    ambient = current.get()
    if ambient is None:
        _outside.log(LEVELS[level], "%s", message, extra={"task_extra": extra} if extra else None)
    else:
        ambient.log(level, str(message), extra or None)


def task_progress(done: float, total: float | None = None, message: str | None = None) -> None:
    """Say how far the running task is; outside a task nothing happens.

    Args:
        done: How much is done, 0 or more, in any unit.
        total: How much there is in all; None if not known.
        message: What is being done.
    """
    checks.number("done", done, least=0)
    if total is not None:
        checks.number("total", total, least=0)
    ambient = current.get()
    if ambient is not None:
        ambient.progress(done, total, None if message is None else storable(str(message)))
