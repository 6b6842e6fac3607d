"""Time without what the machine took from the process: for limits that are no matter of load."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

_STEP = 0.01
_MOST = 5 * _STEP


class AwakeClock:
    """Counts the seconds in which this process could run. A context manager.

    A thread counts them in steps of ten milliseconds, so what only blocks the event loop, or
    any other thread, counts. Of a step that the machine makes last for longer, as one that stands
    still for two seconds does, fifty milliseconds count.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        """Since the block began."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._count, name="taskflow-awake", daemon=True)

    def _count(self) -> None:
        before = time.monotonic()
        while not self._over.wait(_STEP):
            now = time.monotonic()
            self.seconds += min(now - before, _MOST)
            before = now

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
