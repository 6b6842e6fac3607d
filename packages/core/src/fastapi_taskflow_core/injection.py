"""Which task list belongs to this request.

FastAPI makes a request's ``BackgroundTasks`` through one name in one module. That name is
replaced once per process by a function that asks a context variable: within a request of
an application that has a manager it gives that manager's list, elsewhere it does what
FastAPI does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar

from fastapi import BackgroundTasks
from fastapi.dependencies import utils

from .background import ManagedBackgroundTasks

logger = logging.getLogger(__name__)


class RequestScope:
    """One request of an application with a manager; its list is made when it is asked for."""

    __slots__ = ("_make", "answered", "owner", "tasks")

    def __init__(self, owner: object, make: Callable[[], ManagedBackgroundTasks]) -> None:
        self.owner: object | None = owner
        self.tasks: ManagedBackgroundTasks | None = None
        self.answered = True
        """Whether it is too late for an answer of ours."""
        self._make = make

    def task_list(self) -> ManagedBackgroundTasks:
        """The list of this request, the same for all who ask."""
        if self.tasks is None:
            self.tasks = self._make()
        return self.tasks

    def end(self) -> None:
        """The request is over, and nothing is to be kept for it.

        Whatever was started in its context holds on to this object, the server's timers for
        idle connections among them; so it must not hold on to more.
        """
        self.owner = self.tasks = None


current_request: ContextVar[RequestScope | None] = ContextVar(
    "fastapi_taskflow_request", default=None
)


def hook_into_fastapi() -> None:
    """Let FastAPI ask us for task lists. Twice is once.

    A copy of this package under another name may have been here before: then it is asked
    where no request of ours is under way.
    """
    before = getattr(utils, "BackgroundTasks", None)
    if before is None:
        logger.error(
            "this version of FastAPI makes BackgroundTasks in a way that is not known here:"
            " use tasks=Depends(task_manager.get_tasks) in your routes, which always works"
        )
        return
    if getattr(before, "taskflow_hooks", frozenset()) >= {__name__}:
        return

    def make_background_tasks() -> BackgroundTasks:
        scope = current_request.get()
        made: BackgroundTasks = (
            before() if scope is None or scope.owner is None else scope.task_list()
        )
        return made

    hooks = {__name__, *getattr(before, "taskflow_hooks", ())}
    make_background_tasks.taskflow_hooks = hooks  # type: ignore[attr-defined]
    vars(utils)["BackgroundTasks"] = make_background_tasks
