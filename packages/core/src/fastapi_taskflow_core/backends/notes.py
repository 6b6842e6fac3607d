"""Settings and the audit trail, in memory.

Nothing here is safe for threads; the backend around it sees to that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime

from ..surroundings import Clock
from .audit import AuditEntry, AuditQuery
from .settings import Setting, SettingChange

_ENTRIES_KEPT = 10_000


class Settings:
    """Small texts by name, some of them for a while only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stored: dict[str, tuple[Setting, datetime | None]] = {}

    def change(self, change: SettingChange) -> bool:
        """See `SettingStore.change_setting`."""
        now = self._forget_old()
        stored = self._stored.get(change.name)
        version = 0 if stored is None else stored[0].version
        if change.version not in {None, version}:
            return False
        if change.value is None:
            self._stored.pop(change.name, None)
        else:
            end = None if change.lifetime is None else now + change.lifetime
            self._stored[change.name] = Setting(change.value, version + 1), end
        return True

    def read(self, prefix: str) -> Mapping[str, Setting]:
        """See `SettingStore.settings`."""
        self._forget_old()
        return {
            name: setting for name, (setting, _) in self._stored.items() if name.startswith(prefix)
        }

    def _forget_old(self) -> datetime:
        now = self._clock.now()
        for name in [name for name, (_, end) in self._stored.items() if end and end <= now]:
            del self._stored[name]
        return now


class Trail:
    """The audit entries made last."""

    def __init__(self) -> None:
        self._entries: deque[AuditEntry] = deque(maxlen=_ENTRIES_KEPT)

    def note(self, entry: AuditEntry) -> None:
        """See `AuditStore.note`."""
        if all(known.entry_id != entry.entry_id for known in self._entries):
            self._entries.append(entry)

    def read(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """See `AuditStore.audit`."""
        found = [
            entry
            for entry in self._entries
            if query.actor in {None, entry.actor}
            and query.action in {None, entry.action}
            and (query.before is None or entry.entry_id < query.before)
        ]
        found.sort(key=lambda entry: entry.entry_id, reverse=True)
        return found[: max(0, query.limit)]
