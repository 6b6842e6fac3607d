"""The write-ahead log beside the file: it grows for as long as somebody reads an old state."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

KEPT = 16 * 1024 * 1024
"""Bytes of the log that stay when it begins anew; the rest goes back to the disk."""
LARGE = 256 * 1024 * 1024
"""Bytes from which the log is larger than any load makes it."""
_EVERY = 100
"""Writes between looks at its size."""


class WriteAheadLog:
    """Keeps the log small, and says when that is prevented.

    Args:
        path: The log; None for a database in memory, which has none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._writes = 0
        self._told = False

    def limit(self, writer: sqlite3.Connection) -> None:
        """Let this connection cut the log when it begins anew."""
        writer.execute(f"PRAGMA journal_size_limit = {KEPT}")

    def written(self) -> None:
        """Something was written."""
        self._writes += 1
        if self._writes % _EVERY == 0 and self._path is not None:
            with suppress(OSError):
                self._look(self._path, self._path.stat().st_size)

    def _look(self, path: Path, size: int) -> None:
        if size > LARGE and not self._told:
            self._told = True
            logger.warning(
                "%s has grown to %d MB: some program reads this database for long without"
                " an end, such as a tool with an open transaction or a process that hangs."
                " It shrinks when that one ends",
                path,
                size // 1_000_000,
            )
        elif size <= LARGE and self._told:
            self._told = False
            logger.warning("%s is small again", path)
