from collections.abc import AsyncIterator

import pytest

from fastapi_taskflow_core.backends.base import Backend
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_testkit.conformance import *  # noqa: F403  the suite is the point


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    backend = MemoryBackend()
    await backend.open()
    yield backend
    await backend.close()
