"""The second connection that the suite needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from fastapi_taskflow_core.backends.base import Backend

__all__ = ["second"]


@pytest_asyncio.fixture
async def second(backend: Backend) -> AsyncIterator[Backend]:
    """Another connection to the data of *backend*."""
    another = backend.another()
    await another.open()
    yield another
    await another.close()
