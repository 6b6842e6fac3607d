"""Changes of the schema that are cut off at any statement, and versions side by side."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from fastapi_taskflow_core.backends.base import Batch, Claim
from fastapi_taskflow_core.errors import SchemaTooNew
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_testkit.builders import FUNCTION, ME, a_beat, a_task, ended, tasks
from fastapi_taskflow_testkit.patience import opened

CHANGES = """
import os
import sqlite3
import sys
from fastapi_taskflow_sql import Statements, migrate
from fastapi_taskflow_sqlite.connection import Session
from fastapi_taskflow_sqlite.dialect import SQLITE

UPGRADES = [
    lambda sql: [
        f"ALTER TABLE {sql.prefix}tasks ADD COLUMN colour TEXT",
        f"UPDATE {sql.prefix}tasks SET colour = 'red'",
    ],
    lambda sql: [
        f"CREATE TABLE {sql.prefix}colours (name TEXT PRIMARY KEY)",
        f"CREATE INDEX {sql.prefix}tasks_colour ON {sql.prefix}tasks (colour)",
    ],
]


class Dying(Session):
    '''Ends the process at its statement *left*.'''

    def __init__(self, driver, left):
        super().__init__(driver)
        self.left = left

    def execute(self, sql, parameters=()):
        if self.left == 0:
            os._exit(9)
        self.left -= 1
        return super().execute(sql, parameters)


def change(path, upgrades, left=-1):
    writer = sqlite3.connect(path, isolation_level=None)
    session = Dying(writer, left)
    session.execute("BEGIN IMMEDIATE")
    migrate(Statements(SQLITE), session, path, upgrades)
    session.execute("COMMIT")
    writer.close()
"""
CUT_OFF = """
import json

def look(path):
    reader = sqlite3.connect(path)
    names = [name for (name,) in reader.execute("SELECT name FROM sqlite_master ORDER BY name")]
    rows = 0
    if "taskflow_tasks" in names:
        ((rows,),) = reader.execute("SELECT COUNT(*) FROM taskflow_tasks")
    whole = reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    reader.close()
    return [names, rows, whole]

path, upgrades = sys.argv[1], UPGRADES if sys.argv[2] == "upgrade" else []
seen, code = [look(path)], 9
while code != 0:
    child = os.fork()
    if child == 0:
        change(path, upgrades, left=len(seen) - 1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    seen.append(look(path))
print(json.dumps(seen))
"""


@pytest.mark.parametrize("what", ["creation", "upgrade"])
async def test_a_change_of_the_schema_that_is_cut_off_is_not_half_done(
    path: Path, what: str
) -> None:
    rows = 0
    if what == "upgrade":
        rows = 50
        async with opened(SqliteBackend(path)) as backend:
            await backend.write(Batch(ME, inserts=[ended(task) for task in tasks(rows)]))
    command = [sys.executable, "-c", CHANGES + CUT_OFF, path, what]
    done = await asyncio.to_thread(
        subprocess.run, command, check=True, stdout=subprocess.PIPE, timeout=50
    )
    before, *cut_off, after = json.loads(done.stdout)
    assert len(cut_off) >= (6 if what == "upgrade" else 20)
    assert all(seen == before for seen in cut_off)
    assert after[0] != before[0]
    assert after[1:] == [rows, True]


def upgraded(path: Path) -> None:
    """Let a newer version change the schema."""
    program = f"{CHANGES}\nchange(sys.argv[1], UPGRADES)"
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=50)


async def test_who_opened_the_file_before_an_upgrade_goes_on_and_is_refused_afterwards(
    path: Path,
) -> None:
    async with opened(SqliteBackend(path)) as old:
        before, after = a_task(owner=None, persist=True), a_task(owner=None, persist=True)
        await old.write(Batch(ME, inserts=[before]))
        await asyncio.to_thread(upgraded, path)
        await old.write(Batch(ME, inserts=[after]))
        await old.beat(a_beat(ME))
        claimed = await old.claim(Claim(ME, frozenset({FUNCTION})))
        assert {task.task_id for task in claimed} == {before.task_id, after.task_id}
        await old.write(Batch(ME, updates=[ended(task) for task in claimed]))
    with closing(sqlite3.connect(path)) as tool:
        found = tool.execute("SELECT status, colour FROM taskflow_tasks").fetchall()
    assert sorted(found, key=str) == [("success", "red"), ("success", None)]
    with pytest.raises(SchemaTooNew) as refused:
        await SqliteBackend(path).open()
    assert "\n" not in str(refused.value)
