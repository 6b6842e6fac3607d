"""The audit trail: who did what, in the backend."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from fastapi_taskflow_core.backends.audit import AuditEntry, AuditQuery, AuditStore
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.surroundings import time_ordered_id
from fastapi_taskflow_core.wording import storable

LONGEST = 2_000
LONGEST_NAME = 200

logger = logging.getLogger(__name__)


class Trail:
    """Makes the entries, and sees to it that none is missing.

    Whoever wants to change something asks first whether the trail is `ready`. What was done
    and then could not be entered is logged and entered later; until then nothing more is done.
    """

    def __init__(
        self,
        store: AuditStore,
        now: Callable[[], datetime],
        new_id: Callable[[], str] = time_ordered_id,
    ) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id
        self._owed: dict[str, AuditEntry] = {}

    async def ready(self) -> None:
        """Return when entries can be made.

        Raises:
            BackendUnavailable: They cannot, so nothing must be done.
        """
        if not self._owed:
            await self._store.audit(AuditQuery(limit=1))
        for entry in list(self._owed.values()):
            await self._store.note(entry)
            self._owed.pop(entry.entry_id, None)

    async def note(self, actor: str, address: str, action: str, target: str, result: str) -> None:
        """Enter what is about to be answered.

        Raises:
            BackendUnavailable: It was not entered.
        """
        await self._store.note(self._entry(actor, address, action, target, result))

    async def note_done(
        self, actor: str, address: str, action: str, target: str, result: str
    ) -> None:
        """Enter what cannot be undone any more, as soon as that is possible."""
        entry = self._entry(actor, address, action, target, result)
        try:
            await self._store.note(entry)
        except BackendUnavailable:
            self._owed[entry.entry_id] = entry
            logger.exception("not in the audit trail yet: %s", entry)

    def _entry(self, actor: str, address: str, action: str, target: str, result: str) -> AuditEntry:
        names = (_fit(text)[:LONGEST_NAME] for text in (actor, address, action))
        texts = (_shortened(_fit(text)) for text in (target, result))
        return AuditEntry(self._new_id(), self._now(), *names, *texts)


def _fit(text: str) -> str:
    """Text that every backend takes."""
    return storable(text.replace("\0", "\\0"))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"
