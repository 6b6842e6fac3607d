"""The thread that writes lines to a file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

_FAR_BEHIND = 10_000

_logger = logging.getLogger(__name__)


class Pen:
    """A thread that has a handler write records until it is told to finish."""

    def __init__(self, handler: logging.Handler) -> None:
        self._handler = handler
        self._work: SimpleQueue[logging.LogRecord | Callable[[], object]] = SimpleQueue()
        self._dropped = 0
        Thread(target=self._run, name="taskflow-log-file", daemon=True).start()

    def write(self, record: logging.LogRecord) -> None:
        """Have the record written soon; lose it where the disk is far behind."""
        if self._work.qsize() < _FAR_BEHIND:
            self._work.put(record)
            return
        self._dropped += 1
        if self._dropped == 1:
            _logger.warning("the disk is too slow for the task log file: lines are dropped")

    async def finish(self) -> None:
        """Return when all is written and the thread has ended."""
        loop, finished = asyncio.get_running_loop(), asyncio.Event()
        self._work.put(lambda: loop.call_soon_threadsafe(finished.set))
        await finished.wait()

    def _run(self) -> None:
        while isinstance(item := self._work.get(), logging.LogRecord):
            self._handler.handle(item)
        with suppress(RuntimeError):  # whoever waited has gone, and its event loop too
            item()
