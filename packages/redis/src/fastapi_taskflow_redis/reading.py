"""Records of what is stored; of what cannot be read, what the lists tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fastapi_taskflow_core.backends.damage import DAMAGE, text, unreadable
from fastapi_taskflow_core.records import TaskRecord

from .connection import Server
from .rows import decoded, from_text

Stored = tuple[bytes, bytes]
"""The id of a task, and its text."""


def stored_pairs(answer: Sequence[bytes]) -> list[Stored]:
    """An answer of ids and texts."""
    return list(zip(answer[::2], answer[1::2], strict=True))


class Reader:
    """Reads the tasks under one prefix."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def records(self, stored: Iterable[Stored]) -> list[TaskRecord]:
        """The records of these tasks; one that cannot be read has FAILED by that."""
        return [_record(*each) or await self.unreadable(*each) for each in stored]

    async def unreadable(self, stored_id: bytes, stored: bytes) -> TaskRecord:
        """What is shown of this task, which cannot be read."""
        told = await self._server.run("recall", stored_id)
        func_name, queue, created = told or (b"?", b"?", b"0")
        return unreadable(stored_id, func_name, queue, float(created), _reason(stored_id, stored))


def _record(stored_id: bytes, stored: bytes) -> TaskRecord | None:
    try:
        return from_text(stored, decoded(stored_id))
    except DAMAGE:
        return None


def _reason(stored_id: bytes, stored: bytes) -> Exception:
    try:
        from_text(stored, text(stored_id))
    except DAMAGE as error:
        return error
    return ValueError("it contradicts the lists that it stands in")
