"""Arguments as text, for people."""

from __future__ import annotations

import inspect

from .arguments import ArgumentCodec
from .arguments.codec import is_sealed
from .errors import PayloadError
from .records import TaskRecord
from .registry import Registry
from .sealing import HIDDEN

_LENGTH = 4_096


def shown_arguments(
    codec: ArgumentCodec, registry: Registry, task: TaskRecord, *, hidden: bool
) -> dict[str, str] | None:
    """The stored arguments by parameter name, each as its ``repr``.

    None if there are none, or this process does not know their function. *hidden*: only say
    that there are some, as for arguments that are encrypted.
    """
    if task.payload is None:
        return None
    if hidden or is_sealed(task.payload):
        return {"arguments": HIDDEN}
    if task.func_name not in registry:
        return None
    function = registry[task.func_name].call
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
