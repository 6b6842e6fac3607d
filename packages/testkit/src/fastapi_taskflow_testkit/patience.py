"""A backend that is open for a while, and calls that are repeated until the server is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from fastapi_taskflow_core.backends.base import Backend
from fastapi_taskflow_core.errors import BackendUnavailable

B = TypeVar("B", bound=Backend)


@asynccontextmanager
async def opened(backend: B) -> AsyncIterator[B]:
    """The backend, open within the block."""
    await backend.open()
    try:
        yield backend
    finally:
        await backend.close()


async def insist(operation: Callable[[], Awaitable[object]], seconds: float = 60) -> None:
    """Do what the journal does: repeat *operation* until the server takes it.

    Raises:
        AssertionError: It did not within so many seconds.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            await operation()
        except BackendUnavailable:
            assert time.monotonic() < deadline, "the server did not come back"
            await asyncio.sleep(0.05)
        else:
            return
