"""Arguments as text, for people."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .arguments import ArgumentCodec
from .errors import PayloadError
from .records import TaskRecord

_LENGTH = 4_096


def shown_arguments(
    codec: ArgumentCodec, task: TaskRecord, function: Callable[..., Any]
) -> dict[str, str] | None:
    """The stored arguments by parameter name, each as its ``repr``; None if there are none."""
    if task.payload is None:
        return None
    try:
        args, kwargs = codec.decode(task.task_id, task.func_name, function, task.payload)
    except PayloadError as error:
        return {"(unreadable)": str(error)}
    try:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        bound = {**{f"args[{place}]": value for place, value in enumerate(args)}, **kwargs}
    return {name: _short(value) for name, value in bound.items()}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"
