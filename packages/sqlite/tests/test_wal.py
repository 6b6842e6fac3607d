"""The write-ahead log while somebody reads without an end."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fastapi_taskflow_core.backends.base import Batch
from fastapi_taskflow_sqlite import SqliteBackend, wal
from fastapi_taskflow_testkit.builders import ME, a_task, ended
from fastapi_taskflow_testkit.patience import opened

MB = 1024 * 1024


async def test_the_log_grows_with_a_warning_while_a_tool_reads_and_shrinks_after_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wal, "LARGE", 8 * MB)
    monkeypatch.setattr(wal, "KEPT", MB)
    caplog.set_level(logging.WARNING)
    log = path.with_name("tasks.db-wal")

    async def write(megabytes: int) -> int:
        for _ in range(megabytes * 20):
            task = ended(a_task(payload=b"x" * 50_000))
            await backend.write(Batch(ME, inserts=[task]))
        return log.stat().st_size

    async with opened(SqliteBackend(path)) as backend:
        assert await write(6) < 8 * MB
        with closing(sqlite3.connect(path, isolation_level=None)) as tool:
            tool.execute("BEGIN")
            tool.execute("SELECT COUNT(*) FROM taskflow_tasks").fetchall()
            assert await write(12) > 8 * MB
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "reads this database for long" in caplog.text
        assert await write(6) < 8 * MB
        assert caplog.messages[-1].endswith("is small again")
        assert await asyncio.to_thread(checked, path) == [("ok",)]


def checked(path: Path) -> list[tuple[str]]:
    """What SQLite thinks of the file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall()
