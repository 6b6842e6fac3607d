r"""One event, one line of text: ``[task_id] [func_name] 2026-01-01T12:00:00 message``.

Times are UTC. Whatever could end a line or move a terminal's cursor is escaped, so that
no message can look like two lines: a line feed is written as ``\n``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from .base import LifecycleEvent, LogEvent

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
_ESCAPES = {code: repr(chr(code))[1:-1] for code in _CONTROLS if code != ord("\t")}


def log_line(event: LogEvent) -> str:
    """The line for something a task said."""
    return _line(event.task_id, event.func_name, event.time, event.message)


def status_line(event: LifecycleEvent) -> str:
    """The line for a change of status; it ends in ``-- RUNNING`` and so on."""
    return _line(event.task_id, event.func_name, event.time, f"-- {event.status.name}")


def _line(task_id: str, func_name: str, moment: datetime, text: str) -> str:
    when = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    line = f"[{task_id}] [{func_name}] {when} {text}"
    return line if line.isprintable() else line.translate(_ESCAPES)
