"""SQLite keeps the contract when its operations are late, or done again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_testkit.conformance import *  # noqa: F403  the suite is the point
from fastapi_taskflow_testkit.faults import ExposedBackend, Storm


@pytest.fixture
async def backend(path: Path) -> AsyncIterator[ExposedBackend]:
    backend = ExposedBackend(SqliteBackend(path), Storm())
    await backend.open()
    yield backend
    await backend.close()
