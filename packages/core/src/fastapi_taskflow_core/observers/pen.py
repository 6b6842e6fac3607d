"""Files that grow line by line, and the thread that writes them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler, WatchedFileHandler
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Literal

FileMode = Literal["rotate", "watched"]

_FAR_BEHIND = 10_000

_logger = logging.getLogger(__name__)


def open_file(path: Path, max_bytes: int, backup_count: int, mode: FileMode) -> logging.Handler:
    """A handler that opens the file with its first line.

    Raises:
        ValueError: there is no such mode.
    """
    match mode:
        case "rotate":
            return _RotatingFile(
                path,
                maxBytes=max_bytes,
                backupCount=backup_count,
                encoding="utf-8",
                errors="backslashreplace",
                delay=True,
            )
        case "watched":
            return _WatchedFile(path, encoding="utf-8", errors="backslashreplace", delay=True)
        case _:
            raise ValueError(
                f"mode must be 'rotate' or 'watched', got {type(mode).__name__} {mode!r}"
            )


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


class _RobustFile(logging.FileHandler):
    """Makes missing directories, and says once that the file cannot be written."""

    _failed = False

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; failures are reported, never raised."""
        try:
            super().emit(record)
        except Exception:  # noqa: BLE001  not all failures are caught by the standard handlers
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802
        """Log the first failure; one for each lost line would be a flood."""
        if not self._failed:
            self._failed = True
            _logger.error(
                "task log lines cannot be written to %s",
                self.baseFilename,
                exc_info=True,  # noqa: LOG014  called from within an except clause
            )


class _RotatingFile(_RobustFile, RotatingFileHandler):
    """A file that is replaced by a new one before it is too large."""


class _WatchedFile(_RobustFile, WatchedFileHandler):
    """A file that is opened again when another program has moved it."""
