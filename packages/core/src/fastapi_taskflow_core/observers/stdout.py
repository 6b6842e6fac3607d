"""Observer that writes lines to standard output."""

from __future__ import annotations

import sys

from ..records import LogLevel
from .base import ImmediateObserver, LifecycleEvent, LogEvent
from .levels import levels_from
from .lines import log_line, status_line


class StdoutLogger(ImmediateObserver):
    """Writes a line per event to ``sys.stdout``.

    Args:
        log_lifecycle: Whether changes of status are written too.
        min_level: The lowest level of log lines to write.

    Raises:
        ValueError: there is no such level.
    """

    def __init__(self, log_lifecycle: bool = False, min_level: LogLevel = "info") -> None:
        self._levels = levels_from(min_level)
        self._log_lifecycle = log_lifecycle

    def log(self, event: LogEvent) -> None:
        """Write the line if its level is high enough."""
        if event.level in self._levels:
            _write(log_line(event))

    def lifecycle(self, event: LifecycleEvent) -> None:
        """Write the status if asked for."""
        if self._log_lifecycle:
            _write(status_line(event))


def _write(line: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()
