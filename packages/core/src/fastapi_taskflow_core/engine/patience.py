"""Waiting that ends, at the latest, when the engine begins to drain."""

from __future__ import annotations

import asyncio
from typing import Any


class Patience:
    """What requests wait with for their tasks: it runs out when the process is to stop."""

    def __init__(self) -> None:
        self.over = False
        self._waiting: set[asyncio.Future[None]] = set()

    async def until(self, done: asyncio.Future[Any]) -> None:
        """Return when *done* is, or patience is over; who is cancelled leaves *done* alone."""
        if self.over or done.done():
            return
        gate = done.get_loop().create_future()

        def open_gate(_: object) -> None:
            if not gate.done():
                gate.set_result(None)

        done.add_done_callback(open_gate)
        self._waiting.add(gate)
        try:
            await gate
        finally:
            self._waiting.discard(gate)
            done.remove_done_callback(open_gate)

    def end(self) -> None:
        """Let everybody go on."""
        self.over = True
        for gate in tuple(self._waiting):
            if not gate.done():
                gate.set_result(None)
