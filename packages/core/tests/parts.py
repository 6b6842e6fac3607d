"""The parts of an engine that enter what becomes of a task, without those that run it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Any

from fastapi_taskflow_core.arguments import TypedJsonCodec
from fastapi_taskflow_core.backends.guarded import GuardedBackend
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.engine.delays import Delays
from fastapi_taskflow_core.engine.feed import Feed
from fastapi_taskflow_core.engine.journal import Journal
from fastapi_taskflow_core.engine.ledger import Ledger
from fastapi_taskflow_core.engine.live import Live, LiveTask
from fastapi_taskflow_core.engine.losses import Losses
from fastapi_taskflow_core.engine.patience import Patience
from fastapi_taskflow_core.engine.setbacks import Setbacks
from fastapi_taskflow_core.lifecycle import Event
from fastapi_taskflow_core.options import TaskOptions
from fastapi_taskflow_core.registry import Registry
from fastapi_taskflow_core.surroundings import Surroundings
from fastapi_taskflow_testkit.builders import ME, a_task
from fastapi_taskflow_testkit.clock import VirtualClock


def work(number: int) -> None:
    """What the tasks do."""


class Parts:
    """On a clock that stands still, over a backend in memory."""

    def __init__(self, backend: MemoryBackend | None = None) -> None:
        self.clock = VirtualClock()
        self.surroundings = Surroundings(clock=self.clock)
        self.store = GuardedBackend(backend or MemoryBackend())
        self.registry = Registry()
        self.live = Live()
        self.patience = Patience()
        self.losses = Losses(self.live)
        self.journal = Journal(self.store, ME, self.losses, self.surroundings)
        self.feed = Feed()
        self.ledger = Ledger(self.live, self.journal, self.feed, self.surroundings)
        self.codec = TypedJsonCodec()
        self.setbacks = Setbacks(self.ledger, self.codec)
        self.delays = Delays(self.clock, self.patience, self.setbacks)

    def new(self, func: Callable[..., object] = work, *args: Any, **changes: Any) -> LiveTask:
        """A task that nobody knows of yet."""
        function = self.registry.register(func, TaskOptions())
        record = a_task(func_name=function.name, created_at=self.clock.now(), **changes)
        return LiveTask(record, function, (args or (7,), {}), Context())

    def waiting(self, **changes: Any) -> LiveTask:
        """A task that is live and waits."""
        task = self.new(**changes)
        self.ledger.open(task)
        return task

    def running(self, **changes: Any) -> LiveTask:
        """A task that is live and runs."""
        task = self.waiting(**changes)
        task.begin()
        self.ledger.enter(task, Event.START)
        return task
