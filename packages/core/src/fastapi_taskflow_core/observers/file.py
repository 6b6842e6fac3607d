"""Observer that writes lines to a file."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Literal

from ..records import LogLevel
from .base import ImmediateObserver, LifecycleEvent, LogEvent
from .levels import levels_from
from .lines import log_line, status_line
from .pen import Pen

FileMode = Literal["rotate", "watched"]


class FileLogger(ImmediateObserver):
    """Writes a line per event to a file, UTF-8.

    Between ``startup`` and ``close`` a thread of its own does the writing, so that a slow
    disk holds nobody up; before and after, the line is in the file when the call returns.
    Directories that are missing are made with the first line.

    Args:
        path: The file.
        max_bytes: With ``"rotate"``: begin a new file before this size is exceeded; 0 never.
        backup_count: With ``"rotate"``: how many older files to keep.
        mode: ``"rotate"`` to rotate here, for one process; ``"watched"`` to follow when
            another program (logrotate) moves the file, also for several processes.
        log_lifecycle: Whether changes of status are written too.
        min_level: The lowest level of log lines to write.

    Raises:
        TypeError: a parameter is of the wrong kind.
        ValueError: a parameter is out of range, or ``path`` is a directory.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        max_bytes: int = 10 * 1024 * 1024,
        backup_count: int = 5,
        mode: FileMode = "rotate",
        log_lifecycle: bool = False,
        min_level: LogLevel = "info",
    ) -> None:
        self._levels = levels_from(min_level)
        self._log_lifecycle = log_lifecycle
        _check_count("max_bytes", max_bytes)
        _check_count("backup_count", backup_count)
        # Only now: what it builds on takes long to import, and few applications log to a file.
        from .handlers import open_file  # noqa: PLC0415

        self._file = open_file(_checked(path), max_bytes, backup_count, mode)
        self._pen: Pen | None = None

    async def startup(self) -> None:
        """From now on a thread writes. Twice is once."""
        if self._pen is None:
            self._pen = Pen(self._file)

    async def close(self) -> None:
        """Write what waits and let go of the file. Safe without ``startup`` and twice."""
        pen, self._pen = self._pen, None
        if pen is not None:
            await pen.finish()
        self._file.close()

    def log(self, event: LogEvent) -> None:
        """Write the line if its level is high enough."""
        if event.level in self._levels:
            self._write(log_line(event))

    def lifecycle(self, event: LifecycleEvent) -> None:
        """Write the status if asked for."""
        if self._log_lifecycle:
            self._write(status_line(event))

    def _write(self, line: str) -> None:
        record = logging.LogRecord("", logging.INFO, "", 0, line, None, None)
        if self._pen is None:
            self._file.handle(record)
        else:
            self._pen.write(record)


def _checked(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise TypeError(f"path must be the path of a file, got {type(path).__name__} {path!r}")
    if Path(path).is_dir():
        raise ValueError(f"path must be a file, {os.fspath(path)!r} is a directory")
    return Path(path)


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, got {type(value).__name__} {value!r}")
    if value < 0:
        raise ValueError(f"{name} must be 0 or more, got {value}")
