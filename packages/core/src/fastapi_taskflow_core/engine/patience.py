"""Waiting that ends, at the latest, when the engine begins to drain."""

from __future__ import annotations

import asyncio

from .live import Latch


class Patience:
    """What requests wait with for their tasks: it runs out when the process is to stop."""

    def __init__(self) -> None:
        self.over = False
        self._waiting: set[asyncio.Future[None]] = set()

    async def until(self, latch: Latch) -> None:
        """Return when nothing is counted by *latch* any more, or patience is over."""
        while latch.count and not self.over:
            gate = latch.gate()
            self._waiting.add(gate)
            try:
                await gate
            finally:
                self._waiting.discard(gate)

    def end(self) -> None:
        """Let everybody go on."""
        self.over = True
        for gate in tuple(self._waiting):
            if not gate.done():
                gate.set_result(None)
