"""Where task lists hand in their tasks: the engine, as they see it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from .dispatch import NewTask
from .engine.engine import Engine
from .engine.live import Latch, LiveTask
from .engine.patience import Patience
from .registry import Registry, TaskFunction


class EngineDesk:
    """The `Desk` of the running engine."""

    __slots__ = ("_engine", "_registry", "patience")

    def __init__(self, engine: Engine, registry: Registry) -> None:
        self._engine = engine
        self._registry = registry
        self.patience: Patience = engine.patience

    def find(self, func: Callable[..., Any]) -> TaskFunction:
        """The function as it is registered."""
        return self._registry.find(func)

    def holder(self, key: str) -> str | None:
        """The id of the unfinished task here that holds an idempotency key."""
        return self._engine.live.holder(key)

    def prepare(self, new: NewTask) -> LiveTask:
        """A task that nobody knows of yet. From any thread."""
        return self._engine.dispatch.prepare(new)

    def admit(self, task: LiveTask) -> None:
        """Take the task in."""
        self._engine.dispatch.admit(task)

    def withdraw(self, task: LiveTask) -> None:
        """Take it back, before it has started."""
        self._engine.withdraw(task)

    def place(self, task: LiveTask) -> None:
        """Let it run when it is its time."""
        self._engine.place(task)

    def delayed(self, task: LiveTask) -> bool:
        """Whether it is for later."""
        return self._engine.delayed(task)

    def in_order(self, line: deque[LiveTask], lane: Latch, *, at_once: bool) -> None:
        """Run tasks one after another; *lane* counts one more as long as that takes."""
        self._engine.lanes.in_order(line, lane, at_once=at_once)

    async def commit(self) -> None:
        """Return when what was admitted is durable, or raise `BackendUnavailable`."""
        await self._engine.commit()
