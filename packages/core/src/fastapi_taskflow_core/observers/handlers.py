"""Files that grow line by line, replaced by new ones here or by another program."""

from __future__ import annotations

import logging
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler, WatchedFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .file import FileMode

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
