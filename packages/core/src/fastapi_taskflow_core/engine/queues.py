"""Queues: what waits in them, how much of it may run, and a task's place in one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from threading import Lock
from typing import TYPE_CHECKING

from ..options import QueueConfig

if TYPE_CHECKING:
    from .live import LiveTask

NO_LIMIT = sys.maxsize
Called = Callable[[bool], None]
"""Told that the task may begin (True), or never will (False)."""


@dataclass(frozen=True, slots=True)
class QueueStats:
    """A queue of this process as it stands."""

    name: str
    concurrency: int | None
    max_size: int | None
    paused: bool
    running: int
    waiting: int
    rejected: int
    """How many tasks found it full, since the process started."""
    next_since: datetime | None = None
    """Since when the task waits that is next; None where nothing waits for room."""


class Queue:
    """One queue. Counts of waiting tasks may be changed from any thread."""

    def __init__(self, name: str, config: QueueConfig) -> None:
        self.name = name
        self.running = 0
        self.limit = NO_LIMIT
        self.bounded = False
        """Whether tasks can be rejected."""
        self._waiting = 0
        self._rejected = 0
        self._paused = False
        self._config = config
        self._lock = Lock()
        self.configure(config, paused=False)

    def configure(self, config: QueueConfig, *, paused: bool) -> None:
        """Other limits from now on; what runs or waits already is not affected."""
        self._config, self._paused = config, paused
        self.limit = 0 if paused else config.concurrency or NO_LIMIT
        self.bounded = config.max_size is not None

    @property
    def config(self) -> QueueConfig:
        """The limits now in force."""
        return self._config

    def join(self) -> None:
        """One more waits, however many do."""
        with self._lock:
            self._waiting += 1

    def try_to_join(self) -> bool:
        """One more waits, unless the queue is full."""
        with self._lock:
            most = self._config.max_size
            if most is not None and self._waiting >= most:
                self._rejected += 1
                return False
            self._waiting += 1
            return True

    def quit(self) -> None:
        """One less waits."""
        with self._lock:
            self._waiting -= 1

    def stats(self) -> QueueStats:
        """How it stands."""
        with self._lock:
            return QueueStats(
                self.name,
                self._config.concurrency,
                self._config.max_size,
                self._paused,
                self.running,
                self._waiting,
                self._rejected,
            )


class _State(Enum):
    PROMISED = auto()
    WAITING = auto()
    OVER = auto()


class Place:
    """A task's place in a queue, from when it was promised until the task begins, or never does."""

    __slots__ = ("_called", "_state", "queue", "task")

    def __init__(self, queue: Queue, task: LiveTask) -> None:
        self.queue = queue
        self.task = task
        self._state = _State.PROMISED
        self._called: Called | None = None

    @property
    def void(self) -> bool:
        """Whether the task is not to begin from here."""
        return self._state is _State.OVER

    def wait(self, called: Called) -> None:
        """From now on *called* is told when the wait is over."""
        self._state, self._called = _State.WAITING, called

    def give_up(self, *, begins: bool = False) -> None:
        """The wait is over: the task *begins*, or never will from here. Twice is once."""
        if self._state is _State.OVER:
            return
        self._state = _State.OVER
        self.queue.quit()
        called, self._called = self._called, None
        if called is not None:
            called(begins)
