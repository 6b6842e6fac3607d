"""The power goes: what was promised is there, whatever the disk made of the rest.

A commit that is durable is synced before it is answered, so everything that the write-ahead log
held then is safe. What came after it may be missing, cut at any byte, or garbage.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fastapi_taskflow_core.backends.base import Batch, Claim
from fastapi_taskflow_core.records import TaskStatus
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_testkit.builders import FUNCTION, ME, a_beat, a_task, ended, tasks
from fastapi_taskflow_testkit.patience import opened

COMMITS, CUTS = 60, 120


def log_of(path: Path) -> Path:
    """The write-ahead log beside a database."""
    return path.with_name(f"{path.name}-wal")


@pytest.fixture
async def disk(path: Path, tmp_path: Path) -> list[tuple[int, int]]:
    """A copy of a database at the height of its work, ``cut.db``, and after each durable commit
    how many tasks there were and how long the log was.
    """
    records, synced, done = tasks(COMMITS, persist=True), [], 0
    async with opened(SqliteBackend(path)) as backend:
        for record in records:
            await backend.write(Batch(ME, inserts=[record.copy()], durable=True))
            done += 1
            synced.append((done, log_of(path).stat().st_size))
            # History, which may be lost, comes in between.
            await backend.write(
                Batch(ME, inserts=[ended(a_task()), a_task(task_id=f"hope-{done}")], durable=False)
            )
        for file in (path, log_of(path)):
            shutil.copy(file, tmp_path / file.name.replace(path.name, "cut.db"))
    return synced


async def test_no_cut_of_the_log_loses_what_was_promised(
    disk: list[tuple[int, int]], tmp_path: Path
) -> None:
    copy, whole = tmp_path / "cut.db", log_of(tmp_path / "cut.db").read_bytes()
    database = copy.read_bytes()
    chance = random.Random(7)  # noqa: S311  the same cuts each time
    lost_history = lost_hope = 0
    for _ in range(CUTS):
        promised, safe = chance.choice(disk)
        end = chance.randint(safe, len(whole))
        garbage = chance.randbytes(chance.choice([0, 0, 512, 4096]))
        copy.write_bytes(database)
        log_of(copy).write_bytes(whole[:end] + garbage)
        copy.with_name("cut.db-shm").unlink(missing_ok=True)
        async with opened(SqliteBackend(copy)) as backend:
            found = [await backend.get(f"task-{number:06}") for number in range(promised)]
            assert None not in found
            assert await backend.get("task-999999") is None
            await backend.beat(a_beat("next"))
            claimed = await backend.claim(Claim("next", frozenset({FUNCTION}), limit=200))
            assert {f"task-{number:06}" for number in range(promised)} <= {
                task.task_id for task in claimed
            }
            hoped = [await backend.get(f"hope-{number + 1}") for number in range(COMMITS)]
            assert {task.status for task in hoped if task} <= {TaskStatus.INTERRUPTED}
            lost_hope += None in hoped
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            (rows,) = connection.execute("SELECT COUNT(*) FROM taskflow_tasks").fetchone()
            assert promised <= rows <= 3 * COMMITS
            lost_history += rows < 3 * COMMITS
    assert min(lost_history, lost_hope) > CUTS // 2, "the cuts were too kind"
