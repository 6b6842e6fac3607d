"""Due and orphaned work becomes ours: what was delayed, released, or left by the dead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from ..backends.base import Claim, TaskStore
from ..records import TaskRecord
from ..registry import Registry
from .patience import Patience

logger = logging.getLogger(__name__)

_LAST_ANSWER = 0.5
"""Seconds that a stop waits for the answer to a claim."""


class Takeover:
    """Claims tasks that wait for anyone, as long as there are any.

    Args:
        accept: Called with every claimed task.
        trusted: Whether this instance may still believe itself alive.
        patience: Over when the engine drains: then nothing more is claimed.
    """

    BITE = 200

    def __init__(
        self,
        store: TaskStore,
        registry: Registry,
        instance: str,
        max_crashes: int,
        accept: Callable[[Sequence[TaskRecord]], None],
        trusted: Callable[[], bool],
        patience: Patience,
    ) -> None:
        self._store = store
        self._registry = registry
        self._instance = instance
        self._max_crashes = max_crashes
        self._accept = accept
        self._trusted = trusted
        self._patience = patience

    async def sweep(self) -> None:
        """Claim everything that can be claimed now."""
        while self._trusted() and not self._patience.over:
            wanted = Claim(self._instance, self._registry.names(), self.BITE, self._max_crashes)
            claiming = asyncio.ensure_future(self._store.claim(wanted))
            try:
                claimed = await asyncio.shield(claiming)
            except asyncio.CancelledError:
                # What was claimed is ours, even if we are to stop: take it, to release it.
                # If the storage does not answer, others take it once we are gone.
                await asyncio.wait([claiming], timeout=_LAST_ANSWER)
                if claiming.done() and claiming.exception() is None:
                    self._accept(claiming.result())
                claiming.cancel()
                raise
            if claimed:
                logger.info("took over %d tasks", len(claimed))
                self._accept(claimed)
            if len(claimed) < self.BITE:
                return
