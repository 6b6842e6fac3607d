"""The task list of one request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, Protocol

from fastapi import BackgroundTasks

from .dispatch import NewTask
from .engine.live import Lane, Latch, LiveTask
from .engine.patience import Patience
from .errors import BackendUnavailable, QueueFullError
from .options import CALL_OPTION_NAMES, NO_OPTIONS, CallOptions
from .records import DEFAULT_QUEUE, TaskRecord, TaskStatus
from .registry import TaskFunction

P = ParamSpec("P")


class Desk(Protocol):
    """What a task list asks of the engine."""

    @property
    def patience(self) -> Patience:
        """How long requests wait for their tasks."""

    def find(self, func: Callable[..., Any]) -> TaskFunction:
        """The function as it is registered."""

    def holder(self, key: str) -> str | None:
        """The id of the unfinished task here that holds an idempotency key."""

    def prepare(self, new: NewTask) -> LiveTask:
        """A task that nobody knows of yet. From any thread."""

    def reserve(self, task: LiveTask) -> bool:
        """Promise it a place in its queue; False if that is full. From any thread."""

    def reject(self, task: LiveTask) -> None:
        """Note that there was no place for it."""

    def admit(self, task: LiveTask) -> None:
        """Take the task in."""

    def withdraw(self, task: LiveTask) -> None:
        """Take it back, before it has started."""

    def place(self, task: LiveTask) -> None:
        """Let it run when it is its time."""

    def delayed(self, task: LiveTask) -> bool:
        """Whether it is for later."""

    def in_order(self, lane: Lane, *, at_once: bool) -> None:
        """Run the lane's tasks one after another; it counts one more as long as that takes."""

    def commit(self) -> Awaitable[None]:
        """Wait until what was admitted is durable, or raise `BackendUnavailable`."""


class ManagedBackgroundTasks(BackgroundTasks):
    """A ``BackgroundTasks`` whose tasks are recorded, retried and seen.

    Tasks run after the response, one after another; one that waits for a retry lets the
    next begin. Until the response is on its way they are only held: if the route raises,
    they never were.
    """

    def __init__(self, desk: Desk) -> None:
        self.tasks = []  # the base class keeps its own here
        self._desk = desk
        self._held: list[LiveTask] = []
        self._lane = Lane(asyncio.get_running_loop())
        """Accepted, to run in order."""
        self._apart: list[LiveTask] = []
        """Accepted, to run when their queue, priority or hour lets them."""
        self._unfinished = Latch()
        self._accepting = False
        self._unconfirmed: deque[LiveTask] = deque()
        """Accepted tasks that the backend may not have yet, though it must."""
        self.promises = False
        """Whether a task was added that must be durable before the response."""
        self.called = False
        """Whether tasks may run: FastAPI asked for it, so the route did not raise."""

    def add_task(  # type: ignore[override]  # more than the base class: it returns the id
        self, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> str:
        """Run ``func(*args, **kwargs)`` after the response.

        The options ``priority, eager, queue, tags, idempotency_key, run_at`` may stand among
        the keyword arguments, unless the function has a parameter of that name: then give
        the option by `options`.

        Returns:
            The task's id; with an idempotency key that an unfinished task holds, that one's.

        Raises:
            TaskArgumentError: The task must be stored, and an argument cannot be.
            QueueFullError: Its queue has no room; the task is recorded as REJECTED. A route
                that lets this pass answers 503.
            TypeError, ValueError: An option of the wrong kind, one that makes no sense, or a
                name that is neither an option nor a parameter of the function.
        """
        function = self._desk.find(func)
        options = NO_OPTIONS
        if kwargs:
            said = (CALL_OPTION_NAMES & kwargs.keys()) - function.own
            if said:
                options = CallOptions(**{name: kwargs.pop(name) for name in said})
            function.check_keywords(kwargs)
        return self._add(NewTask(function, args, kwargs, options))

    def options(self, **options: Any) -> Options:
        """The same list, with these options for the tasks added through what is returned.

        Raises:
            TypeError, ValueError: An unknown option, or one that makes no sense.
        """
        chosen = CallOptions(**options)

        def add(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
            function = self._desk.find(func)
            function.check_keywords(kwargs)
            return self._add(NewTask(function, args, kwargs, chosen))

        return Options(add)

    def repeat(self, function: TaskFunction, original: TaskRecord) -> str:
        """Run a finished task again with its stored arguments; returns the new task's id."""
        return self._add(NewTask(function, original=original))

    async def commit(self) -> None:
        """Accept the tasks added so far; return when those that must be stored are durable.

        Done for every response; call it yourself in a WebSocket endpoint.

        Raises:
            BackendUnavailable: They are not; those of them that have not started, and all
                that this call accepted, are withdrawn.
        """
        accepted = self.accept()
        unconfirmed = [task for task in self._unconfirmed if not task.confirmed]
        self._unconfirmed.clear()
        self.promises = False
        if not unconfirmed:
            return
        try:
            await self._desk.commit()
        except (BackendUnavailable, asyncio.CancelledError):
            for task in dict.fromkeys([*accepted, *unconfirmed]):
                self._withdraw(task)
            raise
        for task in unconfirmed:
            task.confirmed = True

    def accept(self) -> list[LiveTask]:
        """Accept what was added, and from now on what is, without waiting for the backend."""
        held, self._held = self._held, []
        self._accepting = True
        for task in held:
            self._take_in(task)
        return held

    def discard(self) -> None:
        """Forget the tasks that were added and not accepted."""
        held, self._held = self._held, []
        for task in held:
            task.settle()

    def run(self, *, at_once: bool = False) -> None:
        """Accept and start; from now on a task starts as soon as it is its turn.

        *at_once*: the first one has begun when this returns.
        """
        self.called = True
        if self._held:
            self.accept()
        self._accepting = True
        if self._apart:
            apart, self._apart = self._apart, []
            for task in apart:
                self._desk.place(task)
        if self._lane.tasks and not self._lane.count:
            self._desk.in_order(self._lane, at_once=at_once)

    async def __call__(self) -> None:
        """Run the tasks; return when each has had its first attempt, or on a stop."""
        self.run(at_once=True)
        if self._lane.count:
            await self._desk.patience.until(self._lane)

    async def finish(self) -> None:
        """Run what has not run; return when all is finished, retries too, or on a stop."""
        self.run()
        if self._unfinished.count:
            await self._desk.patience.until(self._unfinished)

    @property
    def finished(self) -> bool:
        """Whether `finish` would have nothing to do."""
        return not (self._held or self._lane.tasks or self._apart or self._unfinished.count)

    def _add(self, new: NewTask) -> str:
        key = new.options.idempotency_key
        holder = None if key is None else self._holder(key)
        if holder is not None:
            return holder
        task = self._desk.prepare(new)
        if not self._desk.reserve(task):
            self._on_loop(self._desk.reject, task)
            raise QueueFullError(task.record.queue, task.record.task_id)
        self.promises = self.promises or task.record.persist
        eager = new.function.options.eager if new.options.eager is None else new.options.eager
        if eager and task.record.priority is None:
            self._on_loop(self._start_now, task)
        elif self._accepting:
            self._on_loop(self._take_in, task)
        else:
            self._held.append(task)
        return task.record.task_id

    def _holder(self, key: str) -> str | None:
        for task in self._held:
            if task.record.idempotency_key == key:
                return task.record.task_id
        return self._desk.holder(key)

    def _on_loop(self, call: Callable[[LiveTask], None], task: LiveTask) -> None:
        try:
            here = asyncio.get_running_loop() is self._lane.loop
        except RuntimeError:
            here = False
        if here:
            call(task)
        else:
            self._lane.loop.call_soon_threadsafe(call, task)

    def _start_now(self, task: LiveTask) -> None:
        self._admit(task)
        self._desk.place(task)

    def _take_in(self, task: LiveTask) -> None:
        self._admit(task)
        record = task.record
        in_line = record.priority is None and record.queue == DEFAULT_QUEUE
        (self._lane.tasks if in_line and record.run_at is None else self._apart).append(task)
        if self.called:
            self.run()

    def _admit(self, task: LiveTask) -> None:
        if task.record.run_at is None or not self._desk.delayed(task):
            task.latch = self._unfinished
            self._unfinished.up()
        if task.must_be_stored:
            while self._unconfirmed and self._unconfirmed[0].confirmed:
                self._unconfirmed.popleft()
            self._unconfirmed.append(task)
        self._desk.admit(task)

    def _withdraw(self, task: LiveTask) -> None:
        for waiting in (self._lane.tasks, self._apart):
            if task in waiting:
                waiting.remove(task)
        if task.record.status is TaskStatus.PENDING:
            self._desk.withdraw(task)


class Options:
    """A task list with options set, for functions whose parameters have the same names."""

    def __init__(
        self,
        add: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], str],
    ) -> None:
        self._add = add

    def add_task(self, func: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> str:
        """Run ``func(*args, **kwargs)`` after the response; every keyword is the function's.

        So a type checker compares the arguments with the function, as for a direct call.
        """
        return self._add(func, args, kwargs)
