"""Observer that hands everything to the standard library's logging."""

from __future__ import annotations

import logging

from ..records import LogLevel
from .base import ImmediateObserver, LifecycleEvent, LogEvent

_LEVELS: dict[LogLevel, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_logger = logging.getLogger("fastapi_taskflow.task")


class LoggingBridge(ImmediateObserver):
    """Logs every event to ``fastapi_taskflow.task``, whose level and handlers decide.

    A log record has the attributes ``task_id``, ``func_name``, ``attempt`` and ``tags``,
    and beside them ``fields`` (the extra fields of ``task_log``) or ``status``,
    ``previous``, ``error`` and ``duration``. Changes of status are logged at INFO.
    """

    def log(self, event: LogEvent) -> None:
        """Log the message at its level."""
        fields = {"fields": dict(event.extra or {})}
        _logger.log(_LEVELS[event.level], "%s", event.message, extra=_extra(event) | fields)

    def lifecycle(self, event: LifecycleEvent) -> None:
        """Log the new status."""
        facts = {
            "status": event.status.value,
            "previous": None if event.previous is None else event.previous.value,
            "error": event.error,
            "duration": event.duration,
        }
        _logger.info(
            "task %s (%s) is %s",
            event.task_id,
            event.func_name,
            event.status.value,
            extra=_extra(event) | facts,
        )


def _extra(event: LogEvent | LifecycleEvent) -> dict[str, object]:
    return {
        "task_id": event.task_id,
        "func_name": event.func_name,
        "attempt": event.attempt,
        "tags": dict(event.tags or {}),
    }
