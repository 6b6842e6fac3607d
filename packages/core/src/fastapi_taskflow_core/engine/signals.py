"""Hearing that the process is to stop, before the server gets round to telling us.

A server waits for its requests before it ends the application's lifespan, and requests
wait for their tasks; so we listen for the signal too, and pass it on to who had it before.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Listens to SIGTERM and SIGINT in front of the handlers that are installed.

    Only in the main thread, where Python allows it, and only where a handler is installed:
    the default way to die stays as it is.

    Args:
        heard: Called with False for the first signal, and with True when the same one comes
            again: somebody has lost patience.
    """

    def __init__(self, heard: Callable[[bool], None]) -> None:
        self._heard = heard
        self._before: dict[int, Any] = {}
        self._came: set[int] = set()

    def listen(self) -> None:
        """Begin. Twice is once."""
        if self._before or threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            if callable(before := signal.getsignal(number)):
                self._before[number] = before
                signal.signal(number, self._handle)

    def restore(self) -> None:
        """Put the former handlers back, unless someone has put others in our place."""
        before, self._before = self._before, {}
        if threading.current_thread() is not threading.main_thread():
            return
        for number, handler in before.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        before = self._before.get(number)
        self._heard(number in self._came)
        self._came.add(number)
        if callable(before):
            before(number, frame)
