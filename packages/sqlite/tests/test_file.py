"""The file: where it may be, who may use it, what it says when it cannot be used."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from fastapi_taskflow_core.backends.base import Batch, Claim
from fastapi_taskflow_core.errors import BackendMisconfigured, BackendUnavailable, SchemaTooNew
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_sqlite.lock import FileLock
from fastapi_taskflow_testkit.builders import FUNCTION, ME, a_beat, a_task, ended
from fastapi_taskflow_testkit.patience import opened


def permissions(folder: Path) -> dict[str, int]:
    """Who may use each file."""
    return {it.name: stat.S_IMODE(it.stat().st_mode) for it in folder.iterdir()}


async def test_two_backends_see_each_others_writes_at_once(
    backend: SqliteBackend, other: SqliteBackend
) -> None:
    for _ in range(20):
        record = a_task()
        await backend.write(Batch(ME, inserts=[record]))
        assert await other.get(record.task_id) == record


async def test_each_task_is_claimed_once_by_two_backends(
    backend: SqliteBackend, other: SqliteBackend
) -> None:
    await backend.write(Batch(ME, inserts=[a_task(owner=None) for _ in range(100)]))
    wanted = [(backend, "a"), (other, "b")] * 10
    functions = frozenset({FUNCTION})
    for it, instance in wanted[:2]:
        await it.beat(a_beat(instance))
    claims = [it.claim(Claim(instance, functions, limit=10)) for it, instance in wanted]
    ids = [it.task_id for claimed in await asyncio.gather(*claims) for it in claimed]
    assert len(ids) == len(set(ids)) == 100


async def test_the_file_keeps_what_was_written(backend: SqliteBackend, path: Path) -> None:
    record = ended(a_task())
    await backend.write(Batch(ME, inserts=[record]))
    await backend.close()
    again = SqliteBackend(f"sqlite:///{path}")
    await again.open()
    assert await again.get(record.task_id) == record
    await again.close()


async def test_a_database_in_memory_is_shared_with_another_of_its_own_alone() -> None:
    record = a_task()
    first, stranger = SqliteBackend(":memory:"), SqliteBackend("sqlite://")
    twin = first.another()
    for backend in (first, stranger, twin):
        await backend.open()
    await first.write(Batch(ME, inserts=[record]))
    assert await twin.get(record.task_id) == record
    assert await stranger.get(record.task_id) is None
    for backend in (first, stranger, twin):
        await backend.close()


async def test_files_are_for_their_owner_alone(backend: SqliteBackend, path: Path) -> None:
    await backend.beat(a_beat("a"))
    await backend.write(Batch(ME, inserts=[ended(a_task())]))
    modes = permissions(path.parent)
    assert modes.pop("tasks.db.d") == 0o700
    assert len(modes) >= 3
    assert set(modes.values()) == {0o600}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file and a folder in it."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf")])
def test_a_patience_that_makes_no_sense_is_refused_by_name(path: Path, wrong: float) -> None:
    with pytest.raises(ValueError, match="busy_timeout"):
        SqliteBackend(path, busy_timeout=wrong)


async def test_who_opens_the_file_by_another_name_has_the_same_lock(
    backend: SqliteBackend, path: Path
) -> None:
    path.with_name("link.db").symlink_to(path)
    linked = SqliteBackend(path.with_name("link.db"), busy_timeout=0.1)
    async with opened(linked):
        await backend.beat(a_beat("a"))
        lock = FileLock(path.with_name("tasks.db.lock"))
        assert lock.acquire(5)
        with pytest.raises(BackendUnavailable, match="locked"):
            await linked.beat(a_beat("b"))
        lock.release()
        await linked.beat(a_beat("b"))
    assert not list(path.parent.glob("link.db.*"))


@pytest.mark.parametrize("place", ["file/tasks.db", "missing/tasks.db", "folder", "a" * 300])
async def test_a_path_that_cannot_be_written_is_named(folder: Path, place: str) -> None:
    backend = SqliteBackend(folder / place)
    with pytest.raises(BackendMisconfigured, match=place):
        await backend.open()
    await backend.close()


def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    content = b"not a database\n" * 1000
    path.write_bytes(content)
    with pytest.raises(BackendMisconfigured, match="tasks.db"):
        asyncio.run(SqliteBackend(path).open())
    assert path.read_bytes() == content


def test_a_newer_schema_is_refused_and_untouched(path: Path) -> None:
    asyncio.run(opened_and_closed(path))
    with closing(sqlite3.connect(path)) as tool:
        tool.execute("UPDATE taskflow_meta SET value = '99' WHERE name = 'schema'")
        tool.commit()
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew, match="99"):
        asyncio.run(SqliteBackend(path).open())
    assert path.read_bytes() == before


async def opened_and_closed(path: Path) -> None:
    """Leave an empty database."""
    backend = SqliteBackend(path)
    await backend.open()
    await backend.close()


async def test_a_file_locked_by_a_foreign_tool_is_unavailable_until_it_lets_go(path: Path) -> None:
    backend, record = SqliteBackend(path, busy_timeout=0.05), ended(a_task())
    await backend.open()
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        tool.execute("BEGIN IMMEDIATE")
        with pytest.raises(BackendUnavailable, match="locked"):
            await backend.write(Batch(ME, inserts=[record]))
        assert await backend.get(record.task_id) is None
    await backend.write(Batch(ME, inserts=[record]))
    assert await backend.get(record.task_id) == record
    await backend.close()


@pytest.mark.parametrize(("successor", "says"), [(None, "tasks.db"), (b"", "replaced")])
async def test_a_file_gone_from_under_us_takes_no_writes(
    backend: SqliteBackend, path: Path, successor: bytes | None, says: str
) -> None:
    replace_file(path, successor)
    with pytest.raises(BackendMisconfigured, match=says):
        await backend.write(Batch(ME, inserts=[ended(a_task())]))


def replace_file(path: Path, successor: bytes | None) -> None:
    """Move the file away, and put another in its place if one is given."""
    path.rename(path.with_suffix(".old"))
    if successor is not None:
        path.write_bytes(successor)


async def test_a_backend_that_is_not_open_says_so(path: Path) -> None:
    backend = SqliteBackend(path)
    await backend.close()
    with pytest.raises(BackendUnavailable, match="not open"):
        await backend.get("x")
    await backend.open()
    await backend.open()
    await backend.close()
    await backend.close()
    with pytest.raises(BackendUnavailable, match="not open"):
        await backend.write(Batch(ME))
