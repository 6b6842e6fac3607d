"""Running one attempt of a task, and stopping it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from ..engine.live import LiveTask


class Executor(Protocol):
    """One way to call a function."""

    def run(
        self, task: LiveTask, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Awaitable[Any]:
        """Call the task's function; return what it returns and raise what it raises.

        While the call runs, ``task.interrupt`` ends it as fast as this executor can.
        """

    async def stop(self) -> None:
        """Let go of threads and processes. Safe twice, and before the first `run`."""
