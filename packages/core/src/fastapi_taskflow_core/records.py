"""What is known of one task: plain slotted data, the same in memory, storage and API.

Times are aware UTC, durations are seconds. A record belongs to the instance named in
``owner`` until it is finished; ``epoch`` rises with every change of owner and fences
the writes of former ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Literal

Source = Literal["manual", "scheduled"]
ExecutorKind = Literal["async", "thread", "process"]
LogLevel = Literal["debug", "info", "warning", "error"]

DEFAULT_QUEUE = "default"


class TaskStatus(StrEnum):
    """Where a task stands in its life. Values are the lower-case names."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    finished: bool
    """Whether nothing will happen to the task any more."""
    holds_key: bool
    """Whether a task in this status keeps its idempotency key to itself."""

    def __init__(self, value: str) -> None:
        # Plain attributes: they are asked for several times in the life of every task.
        self.finished = value not in {"pending", "running"}
        self.holds_key = value in {"pending", "running", "success"}

    __hash__ = str.__hash__  # a status equals its text; and Enum's own is not written in C


UNFINISHED = frozenset({TaskStatus.PENDING, TaskStatus.RUNNING})
FINISHED = frozenset(TaskStatus) - UNFINISHED
RETRYABLE = frozenset({TaskStatus.FAILED, TaskStatus.INTERRUPTED, TaskStatus.REJECTED})


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One ``task_log`` line. ``seq`` rises within the task, ``attempt`` counts from 0."""

    seq: int
    time: datetime
    attempt: int
    level: LogLevel
    message: str
    extra: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of the function. ``number`` counts from 0; ``error`` is None on success."""

    number: int
    started_at: datetime
    ended_at: datetime | None = None
    error: str | None = None

    @property
    def duration(self) -> float | None:
        """Seconds the attempt ran, None while it runs."""
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class ProgressMark:
    """How far a task was at some time. ``attempt`` counts from 0."""

    attempt: int
    time: datetime
    done: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What ``task_progress`` said last."""

    done: float
    total: float | None = None
    message: str | None = None
    marks: tuple[ProgressMark, ...] = field(default=(), compare=False)
    """Some of what it has said so far, the oldest first and the latest last."""


@dataclass(slots=True)
class TaskRecord:
    """Everything recorded about one task.

    ``start_time``, ``end_time`` and ``duration`` speak of the latest attempt; the ones
    before it are in ``earlier``, and ``attempts`` lists them all. A task that waits, for
    a retry or for its hour, is ``PENDING`` with ``run_at`` in the future.
    """

    task_id: str
    func_name: str
    created_at: datetime
    status: TaskStatus = TaskStatus.PENDING
    start_time: datetime | None = None
    end_time: datetime | None = None
    retries_used: int = 0
    error: str | None = None
    stacktrace: str | None = None
    tags: dict[str, str] | None = None
    source: Source = "manual"
    priority: int | None = None
    executor: ExecutorKind = "async"
    queue: str = DEFAULT_QUEUE
    idempotency_key: str | None = None
    run_at: datetime | None = None
    earlier: tuple[Attempt, ...] = ()
    progress: Progress | None = None
    result: str | None = None
    retry_of: str | None = None
    payload: bytes | None = None
    """The stored arguments, as the argument codec wrote them; None if they are not stored."""
    persist: bool = False
    requeue_on_interrupt: bool = False
    owner: str | None = None
    epoch: int = 1
    crashes: int = 0
    cancel_requested: bool = False
    logs: tuple[LogEntry, ...] = ()
    """Filled by reading one task; empty in lists, and never written from here."""

    @property
    def duration(self) -> float | None:
        """Seconds the latest attempt ran, None before its end."""
        if self.start_time is None or self.end_time is None:
            return None
        return (self.end_time - self.start_time).total_seconds()

    @property
    def attempt(self) -> int:
        """The number of the current or next attempt, from 0."""
        return self.retries_used

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt so far, the running or latest one last."""
        if self.start_time is None:
            return self.earlier
        latest = Attempt(self.retries_used, self.start_time, self.end_time, self.error)
        return (*self.earlier, latest)

    def copy(self) -> TaskRecord:
        """A record that no longer changes with this one."""
        return TaskRecord(*_values(self))


_values = attrgetter(*TaskRecord.__dataclass_fields__)
