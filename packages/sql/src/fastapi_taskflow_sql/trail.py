"""The audit trail."""

from __future__ import annotations

from fastapi_taskflow_core.backends.audit import AuditEntry, AuditQuery
from fastapi_taskflow_core.backends.forms import micros, moment

from . import statements
from .bulk import insert
from .connection import Connection
from .schema import AUDIT
from .statements import Statements

_BEHIND_ALL = "~"
"""Sorts behind every id: these are hexadecimal."""


class Trail:
    """The audit trail of one database."""

    def __init__(self, sql: Statements) -> None:
        self._sql = sql

    def note(self, connection: Connection, entry: AuditEntry) -> None:
        """Append an entry, unless it is there."""
        row = (
            entry.entry_id,
            micros(entry.at),
            entry.actor,
            entry.address,
            entry.action,
            entry.target,
            entry.result,
        )
        insert(self._sql, connection, AUDIT, [row])

    def read(self, connection: Connection, query: AuditQuery) -> list[AuditEntry]:
        """Entries, newest first."""
        select, values = statements.AUDIT, [query.before or _BEHIND_ALL]
        for condition, value in (
            (statements.AUDIT_OF, query.actor),
            (statements.AUDIT_ABOUT, query.action),
        ):
            if value is not None:
                select += condition
                values.append(value)
        select = self._sql.render(select + statements.AUDIT_ORDER, limit=max(0, query.limit))
        return [_entry(*row) for row in connection.fetch(select, values)]


def _entry(
    entry_id: str, at: int, actor: str, address: str, action: str, target: str, result: str
) -> AuditEntry:
    return AuditEntry(entry_id, moment(at), actor, address, action, target, result)
