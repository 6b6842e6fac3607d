"""An open backend on a fresh file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fastapi_taskflow_sqlite import SqliteBackend


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "tasks.db"


@pytest.fixture
async def backend(path: Path) -> AsyncIterator[SqliteBackend]:
    """A backend on that file."""
    backend = SqliteBackend(path)
    await backend.open()
    yield backend
    await backend.close()


@pytest.fixture
async def other(backend: SqliteBackend) -> AsyncIterator[SqliteBackend]:
    """A second backend on the same file."""
    other = backend.another()
    await other.open()
    yield other
    await other.close()
