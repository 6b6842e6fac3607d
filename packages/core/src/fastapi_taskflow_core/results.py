"""What functions return, stored as text on the record, where the task is to keep it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .arguments import ArgumentCodec
from .errors import PayloadError, TaskArgumentError
from .records import TaskRecord
from .registry import Registry

LIMIT = 65_536
"""The most bytes that a stored result takes; a larger one is only said to have been there."""
_OMITTED = '{"$":"omitted"'


def stored_result(
    codec: ArgumentCodec, record: TaskRecord, function: Callable[..., Any], value: object
) -> str:
    """The text to keep of what *function* returned, or why it is not kept."""
    try:
        payload = codec.encode_value(record.task_id, record.func_name, function, value)
    except TaskArgumentError as error:
        return _omitted(str(error))
    if len(payload) > LIMIT:
        return _omitted(f"it takes {len(payload):,} bytes, and at most {LIMIT:,} are kept")
    return payload.decode()


def result_of(codec: ArgumentCodec, record: TaskRecord, registry: Registry) -> Any:
    """What the task's function returned, equal and of the same type.

    Raises:
        PayloadError: It was not kept, or cannot be read back.
        FunctionUnknown: The function is not in *registry*.
    """
    if record.result is None:
        raise PayloadError(f"task {record.task_id} has no stored result")
    if record.result.startswith(_OMITTED):
        raise PayloadError(f"the result was not kept: {json.loads(record.result)['v']}")
    function = registry[record.func_name].call
    return codec.decode_value(record.task_id, record.func_name, function, record.result.encode())


def _omitted(reason: str) -> str:
    return json.dumps({"$": "omitted", "v": reason}, separators=(",", ":"))
