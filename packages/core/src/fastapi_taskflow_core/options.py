"""What a task's author and its caller may say about how it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum
from typing import get_args

from . import checks
from .records import ExecutorKind
from .retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """What the decorator says; the defaults hold for functions without one.

    Args:
        persist: The task survives a restart.
        requeue_on_interrupt: Run again from the start when cut off in the middle.
        eager: Start at ``add_task``, before the response.
        priority: Higher runs first; None runs in the request's order.
        queue: A named queue; None is the default queue.
        executor: None goes by the function's kind.
        timeout: Seconds one attempt may take; None is no limit.
        keep_result: Store what the function returns.
    """

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    persist: bool = False
    requeue_on_interrupt: bool = False
    eager: bool = False
    priority: int | None = None
    queue: str | None = None
    executor: ExecutorKind | None = None
    timeout: float | None = None
    keep_result: bool = False

    def __post_init__(self) -> None:
        checks.flag("persist", self.persist)
        checks.flag("keep_result", self.keep_result)
        checks.flag("requeue_on_interrupt", self.requeue_on_interrupt)
        checks.flag("eager", self.eager)
        if self.priority is not None:
            checks.whole("priority", self.priority)
        if self.queue is not None:
            checks.text("queue", self.queue)
        if self.executor is not None:
            checks.one_of("executor", self.executor, get_args(ExecutorKind))
        if self.timeout is not None:
            checks.seconds("timeout", self.timeout, zero=False)


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """The limits of a named queue, for this process.

    Args:
        concurrency: How many of its tasks run at once, 1 or more; None is any number.
        max_size: How many may wait, 0 or more, before ``add_task`` raises `QueueFullError`;
            None is any number. Retries and tasks that were waiting elsewhere always fit in.

    Raises:
        TypeError, ValueError: A limit of the wrong kind, or one that makes no sense.
    """

    concurrency: int | None = None
    max_size: int | None = None

    def __post_init__(self) -> None:
        if self.concurrency is not None:
            checks.whole("concurrency", self.concurrency, least=1)
        if self.max_size is not None:
            checks.whole("max_size", self.max_size, least=0)


class Unchanged(Enum):
    """Stands for a limit that is to stay as it is."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What one ``add_task`` says; None leaves it to the decorator.

    Args:
        priority: Overrides the decorator's.
        eager: Overrides the decorator's.
        queue: Overrides the decorator's.
        tags: Labels to find the task by, at most 32.
        idempotency_key: While a task with this key stands, its id is returned instead.
        run_at: Not before this time (aware).
    """

    priority: int | None = None
    eager: bool | None = None
    queue: str | None = None
    tags: Mapping[str, str] | None = None
    idempotency_key: str | None = None
    run_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.priority is not None:
            checks.whole("priority", self.priority)
        if self.eager is not None:
            checks.flag("eager", self.eager)
        if self.queue is not None:
            checks.text("queue", self.queue)
        if self.tags is not None:
            object.__setattr__(self, "tags", checks.tags("tags", self.tags))
        if self.idempotency_key is not None:
            checks.key("idempotency_key", self.idempotency_key)
        if self.run_at is not None:
            object.__setattr__(self, "run_at", checks.moment("run_at", self.run_at))


NO_OPTIONS = CallOptions()
CALL_OPTION_NAMES = frozenset(option.name for option in fields(CallOptions))
