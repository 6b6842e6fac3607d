"""Writing a batch: one script applies it all, after looking at what is stored of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

from fastapi_taskflow_core.backends.base import Batch, Written
from fastapi_taskflow_core.records import TaskRecord

from . import rollups
from .connection import Server
from .keys import Keys
from .rows import decoded, encoded, packed, to_line, to_text

_AT_ONCE, _BYTES_AT_ONCE = 2_000, 16_000_000
_STAGED_FOR = 60


class Batches:
    """Writes batches under one prefix."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    async def write(self, batch: Batch) -> Written:
        """Apply a batch, in the hope first that all of its endings are news.

        Then they are counted together, which is less work than each for itself.
        """
        records = (*batch.updates, *batch.inserts)
        texts = [to_text(record) for record in (*map(_released, batch.withdrawn), *records)]
        ended = [record for record in records if record.status.finished]
        plan = {
            "withdrawn": len(batch.withdrawn),
            "updates": len(batch.updates),
            "logs": [(task_id, line.seq, to_line(line)) for task_id, line in batch.logs],
        }
        hope = {**plan, "endings": len(ended), "counts": rollups.together(ended)}
        answer = await self._apply(batch, hope, texts)
        if answer is None:
            careful = {**plan, "counts": rollups.one_by_one(ended)}
            answer = await self._apply(batch, careful, texts)
        refused, duplicates = ([decoded(each) for each in part] for part in answer)
        return Written(
            frozenset(refused), dict(zip(duplicates[::2], duplicates[1::2], strict=True))
        )

    async def _apply(self, batch: Batch, plan: dict[str, Any], texts: Sequence[bytes]) -> Any:
        pieces = list(_pieces(texts))
        if len(pieces) > 1:
            token = uuid4().hex
            plan = {**plan, "staged": token, "values": len(texts)}
            await self._stage(self._keys("staged", token), pieces)
        sent = pieces[0] if len(pieces) == 1 else []
        return await self._server.run(
            "write", encoded(batch.instance), packed(plan), *sent, durable=batch.durable
        )

    async def _stage(self, key: bytes, pieces: Sequence[Sequence[bytes]]) -> None:
        """Send ahead what is too much for one command."""
        for piece in pieces:
            await self._server.send(("RPUSH", key, *piece), ("EXPIRE", key, _STAGED_FOR))


def _released(record: TaskRecord) -> TaskRecord:
    """What becomes of a withdrawn task that others were promised."""
    released = record.copy()
    released.owner = None
    return released


def _pieces(texts: Sequence[bytes]) -> Iterator[list[bytes]]:
    piece: list[bytes] = []
    size = 0
    for text in texts:
        if piece and (len(piece) == _AT_ONCE or size + len(text) > _BYTES_AT_ONCE):
            yield piece
            piece, size = [], 0
        piece.append(text)
        size += len(text)
    if piece:
        yield piece
