"""The audit trail."""

from __future__ import annotations

from fastapi_taskflow_core.backends.audit import AuditEntry, AuditQuery
from fastapi_taskflow_core.backends.forms import micros, moment

from .connection import Server
from .keys import Keys
from .rows import encoded, packed, unpacked

_PIECE = 500


class Trail:
    """The audit trail under one prefix."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    async def note(self, entry: AuditEntry) -> None:
        """Append an entry, unless it is there."""
        said = packed(
            [
                entry.entry_id,
                micros(entry.at),
                entry.actor,
                entry.address,
                entry.action,
                entry.target,
                entry.result,
            ]
        )
        arguments = (encoded(entry.entry_id), said, encoded(entry.actor), encoded(entry.action))
        await self._server.run("note", *arguments, durable=True)

    async def read(self, query: AuditQuery) -> list[AuditEntry]:
        """Entries, newest first."""
        found: list[AuditEntry] = []
        before = None if query.before is None else encoded(query.before)
        while len(found) < query.limit:
            ids = await self._ids(query, before)
            if not ids:
                break
            (stored,) = await self._server.send(("HMGET", self._keys("audit"), *ids))
            entries = [_entry(*unpacked(said)) for said in stored if said is not None]
            found += [
                entry
                for entry in entries
                if query.actor in {None, entry.actor} and query.action in {None, entry.action}
            ]
            before = ids[-1]
        return found[: max(0, query.limit)]

    async def _ids(self, query: AuditQuery, before: bytes | None) -> list[bytes]:
        listed = self._keys("audit_by", "all")
        if query.actor is not None:
            listed = self._keys("audit_by", f"actor:{query.actor}")
        elif query.action is not None:
            listed = self._keys("audit_by", f"action:{query.action}")
        newest = b"+" if before is None else b"(" + before
        (ids,) = await self._server.send(
            ("ZREVRANGEBYLEX", listed, newest, "-", "LIMIT", 0, _PIECE)
        )
        found: list[bytes] = ids
        return found


def _entry(
    entry_id: str, at: int, actor: str, address: str, action: str, target: str, result: str
) -> AuditEntry:
    return AuditEntry(entry_id, moment(at), actor, address, action, target, result)
