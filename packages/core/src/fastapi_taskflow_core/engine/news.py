"""Listening to other instances, as long as the backend lets us."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..errors import BackendError

logger = logging.getLogger(__name__)

PAUSES = (1.0, 60.0)
"""Seconds before the first and any later attempt to listen again."""


class News:
    """Calls *came* when another instance may have changed something.

    Without it that is noticed a few seconds later: it is no trouble if it does not work.
    """

    def __init__(
        self,
        listen: Callable[[Callable[[], object]], Awaitable[None]],
        came: Callable[[], object],
    ) -> None:
        self._listen = listen
        self._came = came
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="taskflow-news")

    async def stop(self) -> None:
        """Listen no more. Safe before `start`, and twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        first, later = PAUSES
        pause = first

        def heard() -> None:
            nonlocal pause
            pause = first
            self._came()

        while True:
            try:
                await self._listen(heard)
            except BackendError as error:
                logger.info("cannot hear other instances at once, looking now and then: %s", error)
            except Exception:
                logger.exception("cannot hear other instances at once, looking now and then")
            self._came()  # whatever was said while nobody listened
            await asyncio.sleep(pause)
            pause = later
