"""What is unfinished in this process: the only task state kept in memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import Context
from enum import Enum, auto
from typing import Any

from ..context import StopFlag
from ..records import TaskRecord
from ..registry import TaskFunction
from ..sealing import Veil
from .queues import Place


class StopReason(Enum):
    """Why a running attempt is asked to end."""

    CANCELLED = auto()
    DRAINING = auto()
    LOST = auto()
    """Another instance owns the task by now."""


class Latch:
    """Counts unfinished things for one who waits until there are none."""

    __slots__ = ("_gate", "count")

    def __init__(self) -> None:
        self.count = 0
        self._gate: asyncio.Future[None] | None = None

    def up(self) -> None:
        """One more."""
        self.count += 1

    def down(self) -> None:
        """One less."""
        self.count -= 1
        if not self.count and self._gate is not None and not self._gate.done():
            self._gate.set_result(None)

    def gate(self) -> asyncio.Future[None]:
        """Done when the count has come down to 0."""
        if self._gate is None or self._gate.done():
            self._gate = asyncio.get_running_loop().create_future()
        return self._gate


class Lane(Latch):
    """Tasks of one request, to run one after another; counts who is at it."""

    __slots__ = ("loop", "tasks")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        Latch.__init__(self)  # there is one for every request: looking for super() takes longer
        self.loop = loop
        self.tasks: deque[LiveTask] = deque()


_NOWHERE = Context()

LINES_PER_OWNER = 1_000_000
"""Each owner numbers a task's log lines from a multiple of this: they follow those of the
owner before without asking the backend how many there are."""


class LiveTask:
    """An unfinished task with what is needed to run it here.

    ``arguments`` is None for a task that came from the backend, and where they are encrypted:
    they are decoded just before the call. ``gone`` says that the task must not run here (any more).
    """

    __slots__ = (
        "arguments",
        "confirmed",
        "context",
        "function",
        "gone",
        "interrupt",
        "latch",
        "leftover",
        "log_lines",
        "log_seq",
        "must_be_stored",
        "parcel",
        "place",
        "record",
        "stop",
        "stop_reason",
        "veil",
    )

    def __init__(
        self,
        record: TaskRecord,
        function: TaskFunction,
        arguments: tuple[tuple[Any, ...], Mapping[str, Any]] | None,
        context: Context,
    ) -> None:
        self.record = record
        self.function = function
        self.arguments = arguments
        self.context = context
        self.gone = False
        self.must_be_stored = record.persist or record.idempotency_key is not None
        """Whether it may not start before the backend has confirmed it."""
        self.confirmed = False
        """The backend is known to have the task."""
        self.stop = StopFlag()
        self.stop_reason: StopReason | None = None
        self.interrupt: Callable[[], object] | None = None
        """Set while an attempt runs: ends it as fast as its executor can."""
        self.leftover: asyncio.Future[Any] | None = None
        """The call in a thread, which may outlast its attempt."""
        self.log_seq = (record.epoch - 1) * LINES_PER_OWNER
        self.log_lines = 0
        self.latch: Latch | None = None
        """Counts the task as long as something may still happen to it here."""
        self.place: Place | None = None
        """Where it waits for its turn, or was promised that it may."""
        self.parcel: bytes | None = None
        """The arguments as a process of ours takes them."""
        self.veil: Veil | None = None
        """Hides what the running attempt says, where arguments are encrypted."""

    @property
    def busy(self) -> bool:
        """Whether a thread still runs the function, asked to end or not."""
        return self.leftover is not None and not self.leftover.done()

    def begin(self) -> None:
        """Make ready for a new attempt."""
        if self.stop.raised:  # the one before may still look at its own
            self.stop = StopFlag()
        self.stop_reason = None
        self.leftover = None
        self.log_lines = 0

    def end(self, reason: StopReason) -> None:
        """Ask the running attempt, if there is one, to end; the first reason stands."""
        if self.stop_reason is None:
            self.stop_reason = reason
        if reason is StopReason.LOST:
            self.gone = True
        self.stop.raised = True
        if self.interrupt is not None:
            self.interrupt()

    def settle(self) -> None:
        """Nothing more happens to the task here: tell who waits. Twice is once."""
        self.context = _NOWHERE  # the task's own knows the task: they would be a circle
        latch, self.latch = self.latch, None
        place, self.place = self.place, None
        if place is not None:
            place.give_up()
        if latch is not None:
            latch.down()


class Live:
    """The unfinished tasks of this instance, by id and by idempotency key."""

    def __init__(self) -> None:
        self._by_id: dict[str, LiveTask] = {}
        self._by_key: dict[str, str] = {}

    def add(self, task: LiveTask) -> None:
        """Take *task* in. Whether it may have its key is for the backend to say."""
        record = task.record
        self._by_id[record.task_id] = task
        if record.idempotency_key is not None:
            self._by_key.setdefault(record.idempotency_key, record.task_id)

    def remove(self, task: LiveTask) -> None:
        """Let go of a task that is finished, or no longer ours. Twice is once."""
        record = task.record
        self._by_id.pop(record.task_id, None)
        if record.idempotency_key is not None and (
            self._by_key.get(record.idempotency_key) == record.task_id
        ):
            del self._by_key[record.idempotency_key]
        task.settle()

    def get(self, task_id: str) -> LiveTask | None:
        """The task of this id, if it is unfinished here."""
        return self._by_id.get(task_id)

    def holder(self, key: str) -> str | None:
        """The id of the unfinished task here that holds *key*."""
        return self._by_key.get(key)

    def __iter__(self) -> Iterator[LiveTask]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)
