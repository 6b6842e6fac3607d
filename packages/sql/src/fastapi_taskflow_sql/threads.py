"""Threads of our own for drivers that block."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from fastapi_taskflow_core.errors import BackendUnavailable

T = TypeVar("T")


class Threads:
    """A few threads that run what any event loop gives them, in the order it came.

    Work that has begun is finished even if nobody waits for it any more, and a process can
    end although nobody stopped its threads.
    """

    def __init__(self, name: str, count: int = 1) -> None:
        self._name = name
        self._count = count
        self._executor: ThreadPoolExecutor | None = None
        self._pid = 0

    def start(self) -> None:
        """Take work from now on. Twice is once."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self._count, self._name)
            self._pid = os.getpid()

    def stop(self) -> None:
        """Take no more work. Safe before ``start`` and twice."""
        if self._executor is not None:
            self._executor.shutdown(wait=False)
            self._executor = None

    async def run(self, work: Callable[[], T]) -> T:
        """The result of *work*.

        Raises:
            BackendUnavailable: not started, or this is a fork of the process that did.
        """
        if self._executor is None:
            raise BackendUnavailable("the task storage is not open")
        if self._pid != os.getpid():
            raise BackendUnavailable(
                "the task storage was opened before this process was forked off:"
                " open it in the process that uses it"
            )
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)
