"""Closed in the middle of something: nothing of the file stays open."""

from __future__ import annotations

import asyncio
import shutil
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_sql import Connection, Statements
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_sqlite.connection import SqliteConnections
from fastapi_taskflow_sqlite.dialect import SQLITE
from fastapi_taskflow_sqlite.location import Location
from fastapi_taskflow_sqlite.lock import FileLock, ThreadLock

DESCRIPTORS = Path("/proc/self/fd")
pytestmark = pytest.mark.skipif(not DESCRIPTORS.exists(), reason="the system does not list them")


def left_open(path: Path) -> list[str]:
    """Files of the database that this process has open."""
    found = []
    for descriptor in DESCRIPTORS.iterdir():
        with suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [name for name in found if name.startswith(str(path))]


def busy() -> list[threading.Thread]:
    return [it for it in threading.enumerate() if it.name.startswith("taskflow-sqlite")]


async def test_a_read_that_goes_on_is_the_last_of_its_connection(path: Path) -> None:
    connections = SqliteConnections(Location.parse(path), Statements(SQLITE), ThreadLock(), 5)
    await connections.open()
    begun, go_on = threading.Event(), threading.Event()

    def work(connection: Connection) -> int:
        begun.set()
        go_on.wait(30)
        return len(connection.fetch("SELECT * FROM taskflow_meta"))

    reading = asyncio.ensure_future(connections.read(work))
    await asyncio.to_thread(begun.wait, 30)
    await connections.close()
    go_on.set()
    assert await reading == 1
    for thread in busy():
        await asyncio.to_thread(thread.join, 30)
    assert left_open(path) == []


async def test_who_is_cancelled_while_it_opens_the_file_can_close_it(path: Path) -> None:
    other = FileLock(path.with_name("tasks.db.lock"))
    assert other.acquire(0)
    backend = SqliteBackend(path)
    opening = asyncio.ensure_future(backend.open())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    asyncio.get_running_loop().call_later(0.1, other.release)
    await backend.close()
    for thread in busy():
        await asyncio.to_thread(thread.join, 30)
    other.close()
    assert left_open(path) == []


async def test_a_file_whose_folder_is_gone_can_be_closed(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    backend = SqliteBackend(folder / "tasks.db", busy_timeout=0.01)
    await backend.open()
    other = FileLock(folder / "tasks.db.lock")
    assert other.acquire(0)
    shutil.rmtree(folder)
    await backend.close()
    other.release()
    other.close()
    assert left_open(folder / "tasks.db") == []
    with pytest.raises(BackendUnavailable):
        await backend.get("x")
