"""A damaged file: the start is refused with what to do, and nothing is made worse."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastapi_taskflow_core.backends.base import Batch
from fastapi_taskflow_core.errors import BackendMisconfigured
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_testkit.builders import ME, ended, tasks
from fastapi_taskflow_testkit.patience import opened

PAGE = 4096


@pytest.fixture
async def whole(path: Path) -> bytes:
    """The content of a file with some history."""
    async with opened(SqliteBackend(path)) as backend:
        await backend.write(Batch(ME, inserts=[ended(task) for task in tasks(300)]))
    return path.read_bytes()


async def test_any_page_that_was_overwritten_stops_the_start(whole: bytes, path: Path) -> None:
    for start in range(0, len(whole), PAGE):
        damaged = whole[:start] + b"\xa5" * PAGE + whole[start + PAGE :]
        path.write_bytes(damaged)
        backend = SqliteBackend(path)
        with pytest.raises(BackendMisconfigured, match=r"(?s)tasks\.db: .*\.recover"):
            await backend.open()
        await backend.close()
        assert path.read_bytes() == damaged


async def test_a_file_that_was_cut_off_stops_the_start(whole: bytes, path: Path) -> None:
    path.write_bytes(whole[: len(whole) // 2 // PAGE * PAGE])
    with pytest.raises(BackendMisconfigured, match=r"\.recover"):
        await SqliteBackend(path).open()
