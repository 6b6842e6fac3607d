"""Old history goes, in small bites that hold nobody up."""

from __future__ import annotations

from datetime import timedelta

from ..backends.base import TaskStore
from ..surroundings import Clock

BITE = 500


class Retention:
    """Removes finished tasks that are older than ``age``; None keeps them all."""

    def __init__(self, store: TaskStore, clock: Clock) -> None:
        self.age: timedelta | None = None
        self._store = store
        self._clock = clock

    async def prune(self) -> None:
        """Remove what is too old now."""
        if self.age is None:
            return
        before = self._clock.now() - self.age
        while await self._store.delete(before, BITE) == BITE:
            pass
