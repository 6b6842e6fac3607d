"""What runs beside the tasks: one life for all, and the one periodic loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

logger = logging.getLogger(__name__)


class Service(Protocol):
    """Something that is started with the engine and stopped with it."""

    async def start(self) -> None:
        """Return when ready, or raise."""

    async def stop(self) -> None:
        """Return when nothing runs any more. Safe before `start`, and twice."""


class Periodic:
    """Calls *work* now and then every *interval()* seconds, until stopped.

    A call that raises is logged, once for a row of failures, and the next one comes all
    the same.
    """

    def __init__(
        self, what: str, interval: Callable[[], float], work: Callable[[], Awaitable[object]]
    ) -> None:
        self._what = what
        self._interval = interval
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._soon = asyncio.Event()

    async def start(self) -> None:
        """Begin, with the first call on its way."""
        if self._task is None:
            self._soon = asyncio.Event()
            self._task = asyncio.create_task(self._run(), name=f"taskflow-{self._what}")

    async def stop(self) -> None:
        """End; a call that is under way is cancelled and awaited."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def hurry(self) -> None:
        """Let the next call come at once."""
        self._soon.set()

    async def _run(self) -> None:
        failing = False
        while True:
            self._soon.clear()
            try:
                await self._work()
                failing = False
            except Exception as error:  # noqa: BLE001  the next call may work
                logger.log(
                    logging.DEBUG if failing else logging.WARNING,
                    "%s failed, and will be tried again: %s",
                    self._what,
                    error,
                )
                failing = True
            try:
                async with asyncio.timeout(self._interval()):
                    await self._soon.wait()
            except TimeoutError:
                pass
