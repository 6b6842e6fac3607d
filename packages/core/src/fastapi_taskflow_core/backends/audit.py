"""Who did what: an append-only list kept with the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class AuditEntry(NamedTuple):
    """One action of a person. ``entry_id`` is a UUIDv7, so that ids are in order of time."""

    entry_id: str
    at: datetime
    actor: str
    """Who; the empty text where nobody is known."""
    address: str
    """Where from."""
    action: str
    """What, in one or two words: ``retry``, ``cancel``, ``login``."""
    target: str
    """To what: an id, a filter, a name."""
    result: str
    """What came of it: ``ok``, or why not."""


class AuditQuery(NamedTuple):
    """Which entries to list, newest first. Filters combine by *and*."""

    actor: str | None = None
    action: str | None = None
    before: str | None = None
    """Only entries older than the one of this id."""
    limit: int = 50


class AuditStore(Protocol):
    """The audit trail."""

    async def note(self, entry: AuditEntry) -> None:
        """Append an entry, durably; one of the same id is there already and stays."""

    async def audit(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """Entries, newest first."""
