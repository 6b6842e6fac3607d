"""This instance is alive: a beat every few seconds, by the backend's clock.

It comes from a thread with an event loop and connections of its own, so that a blocked
event loop of the application does not look like a dead process.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from ..backends.base import Backend, Beat, Pulse
from ..errors import BackendError

logger = logging.getLogger(__name__)


class Heartbeat:
    """Beats for one instance and brings what the backend answers.

    Args:
        backend: One for this thread alone, not open yet.
        beat: What to say; called in this thread.
        heard: Called on the application's event loop with every answer, and the monotonic
            times between which it was given.
        interval: Seconds between beats.
        monotonic: Seconds that never jump; called in this thread.
    """

    def __init__(
        self,
        backend: Backend,
        beat: Callable[[], Beat],
        heard: Callable[[Pulse, float, float], None],
        interval: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = backend
        self._beat = beat
        self._heard = heard
        self._interval = interval
        self._monotonic = monotonic
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._ending = False
        self._leave = True

    async def start(self) -> None:
        """Return after the first beat, or the first failure to beat."""
        home = asyncio.get_running_loop()
        first = asyncio.Event()
        self._ending = False
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(home, first)), name="taskflow-beat", daemon=True
        )
        self._thread.start()
        await first.wait()

    def hurry(self) -> None:
        """Let the next beat come at once."""
        if self._thread is not None and self._loop is not None and self._wake is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def stop(self, *, leave: bool = True) -> None:
        """Beat no more. *leave*: say goodbye, so that nobody waits for the lease to run out."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None or self._wake is None:
            return
        self._leave, self._ending = leave, True
        self._loop.call_soon_threadsafe(self._wake.set)
        await asyncio.to_thread(thread.join, self._interval)

    async def _run(self, home: asyncio.AbstractEventLoop, first: asyncio.Event) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        opened = failing = False
        instance = self._beat().instance
        while not self._ending:
            self._wake.clear()
            try:
                if not opened:
                    await self._backend.open()
                    opened = True
                asked = self._monotonic()
                pulse = await self._backend.beat(self._beat())
                answered = self._monotonic()
                failing = False
                if not home.is_closed():
                    home.call_soon_threadsafe(self._heard, pulse, asked, answered)
            except Exception as error:  # noqa: BLE001  this thread must go on, or we look dead
                logger.log(logging.DEBUG if failing else logging.WARNING, "no heartbeat: %s", error)
                failing = True
            if not home.is_closed():
                home.call_soon_threadsafe(first.set)
            try:
                async with asyncio.timeout(0 if self._ending else self._interval):
                    await self._wake.wait()
            except TimeoutError:
                pass
        try:
            if opened and self._leave:
                await self._backend.leave(instance)
            await self._backend.close()
        except BackendError as error:
            logger.warning("could not say goodbye to the task storage: %s", error)
