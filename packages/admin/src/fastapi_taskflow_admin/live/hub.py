"""One listener for all open dashboards: it makes a frame a second and hands it to each."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from secrets import token_hex

from fastapi_taskflow_core.counts import Counts, together
from fastapi_taskflow_core.errors import BackendUnavailable

from ..manager import Manager
from .frames import Ring, Tally, Tallying, elsewhere, frame, tick

logger = logging.getLogger(__name__)

BEAT = 1.0
"""Seconds between two frames."""

_WAITING = 8
"""Frames that may wait for one client."""

LINGER = 10
"""Beats for which it goes on listening without a client: one that was cut off may come back."""

MOST_CLIENTS, MOST_OF_ONE = 200, 20
"""Streams that may be open in one process, and for one visitor."""

_RECONNECT = (1_000, 4_000)
"""Milliseconds after which clients come back, each after others: not all at once."""


def farewell(reason: str) -> bytes:
    """The last frame of a stream, and when to come back."""
    return frame("bye", {"reason": reason, "reconnect": random.randint(*_RECONNECT)})  # noqa: S311


class Client:
    """One open stream: the few frames that wait for it.

    Args:
        visitor: Whose it is; empty where visitors cannot be told apart.
    """

    def __init__(self, visitor: str = "") -> None:
        self.visitor = visitor
        self.over = False
        self._frames: deque[bytes] = deque()
        self._ready = asyncio.Event()

    def put(self, frames: list[bytes], reset: bytes) -> None:
        """Hand over frames; a client that does not fetch them reads its page anew instead."""
        self._frames.extend(frames)
        if len(self._frames) > _WAITING:
            self._frames.clear()
            self._frames.append(reset)
        self._ready.set()

    def end(self, last: bytes) -> None:
        """Nothing follows but this."""
        self.over = True
        self._frames.append(last)
        self._ready.set()

    async def take(self, patience: float) -> bytes:
        """What waits, as soon as something does; nothing after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._ready.wait()
        taken = b"".join(self._frames)
        self._frames.clear()
        if not self.over:
            self._ready.clear()
        return taken


class Hub:
    """Listens while somebody looks, and costs nothing while nobody does.

    Args:
        manager: Whose tasks are watched.
        pause: Waits for the next frame's time.
    """

    def __init__(
        self, manager: Manager, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._manager = manager
        self._pause = pause
        self._ring = Ring(token_hex(4))
        self._tallying = Tallying()
        self._clients: set[Client] = set()
        self._counts: Counts | None = None
        self._health = ""
        self._since = manager.history.now().isoformat()
        self._beating: asyncio.Task[None] | None = None

    @property
    def seq(self) -> int:
        """The number of the latest frame."""
        return self._ring.seq

    @property
    def last_id(self) -> str:
        """The id of the latest frame."""
        return self._ring.last_id

    @property
    def listening(self) -> bool:
        """Whether it knows what happens."""
        return self._beating is not None and not self._beating.done()

    @property
    def clients(self) -> int:
        """How many streams are open."""
        return len(self._clients)

    def full(self, visitor: str) -> bool:
        """Whether there is no room for another stream of this visitor."""
        if self.clients >= MOST_CLIENTS:
            return True
        return bool(visitor) and sum(it.visitor == visitor for it in self._clients) >= MOST_OF_ONE

    def join(self, last_id: str = "", visitor: str = "") -> Client:
        """A new stream, which goes on after the frame *last_id* if that is still known."""
        client = Client(visitor)
        if last_id:
            missed = self._ring.since(last_id) if self.listening else None
            client.put([self._reset()] if missed is None else missed, self._reset())
        self._clients.add(client)
        if not self.listening:
            self._beating = asyncio.create_task(self._listen(), name="taskflow-hub")
        return client

    def leave(self, client: Client) -> None:
        """The stream is closed."""
        self._clients.discard(client)

    def hello(self) -> dict[str, object]:
        """Where the stream stands, and since when there has been somebody to ask."""
        now = self._manager.history.now().isoformat()
        return {"id": self.last_id, "t": now, "since": self._since}

    async def beat(self) -> None:
        """Make one frame of what happened since the last, if anything did, and hand it to all."""
        tally, counts = self._tallying.take(), None
        health = self._manager.health().state
        if health == "up":
            with suppress(BackendUnavailable):
                counts = together((await self._manager.history.counts()).values())
        if self._unseen(tally, counts) or health != self._health:
            tally = tally._replace(more=True)
        if counts is not None:
            self._counts = counts
        self._health = health
        if tally.happened or tally.more:
            now = self._manager.history.now()
            told = tick(tally, now, counts, health, self.clients)
            made = self._ring.add("tick", told)
            for client in self._clients:
                client.put([made], self._reset())

    def _unseen(self, tally: Tally, counts: Counts | None) -> bool:
        if counts is None or self._counts is None:
            return False
        return elsewhere(tally, self._counts, counts)

    def _reset(self) -> bytes:
        return frame("reset", {}, self._ring.last_id)

    async def _listen(self) -> None:
        self._tallying.take()
        # The first frame tells everybody to look again: nobody knows what they have missed.
        self._counts, self._health, alone = None, "", 0
        unsubscribe = self._manager.feed.subscribe(self._tallying.hear)
        try:
            while alone < LINGER and not self._manager.stopping:
                await self._pause(BEAT)
                alone = 0 if self._clients else alone + 1
                try:
                    await self.beat()
                except Exception:
                    logger.exception("a frame for open dashboards could not be made")
        finally:
            unsubscribe()
        for client in self._clients:
            client.end(farewell("stopping"))
