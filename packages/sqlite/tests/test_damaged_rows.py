"""Rows that somebody changed by hand: their tasks are shown as what they are, the others run."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

from fastapi_taskflow_core import TaskManager, TaskStatus
from fastapi_taskflow_core.arguments import TypedJsonCodec
from fastapi_taskflow_core.backends.base import Batch, Query
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_testkit.builders import ME, a_task
from fastapi_taskflow_testkit.patience import opened

TASKS = 200
JUNK = (
    *("", "{", "[1", '{"a": 1}', "[[1]]", "null", "zzz", "x" * 5_000, "\0", "99999999999999999999"),
    *(-1, 2**62, 1.5, float("inf"), b"", b"\xff\xfe", b"{", b"gAAAAABm"),
)
UNTOUCHED = {"task_id", "func_name"}


async def work(number: int) -> None:
    """Do nothing."""


async def test_damaged_rows_stop_nothing_but_themselves(path: Path) -> None:
    chance = random.Random(11)  # noqa: S311  the same damage each time
    async with opened(SqliteBackend(path)) as backend:
        await backend.write(
            Batch(
                ME,
                inserts=[
                    a_task(
                        task_id=f"task-{number:03}",
                        func_name="work",
                        owner=None,
                        persist=True,
                        payload=TypedJsonCodec().encode(
                            f"task-{number:03}", "work", work, (number,), {}
                        ),
                    )
                    for number in range(TASKS)
                ],
            )
        )
    damaged = chance.sample(range(TASKS), TASKS // 2)
    with closing(sqlite3.connect(path)) as tool:
        columns = [name for _, name, *_ in tool.execute("PRAGMA table_info(taskflow_tasks)")]
        for number in damaged:
            column = chance.choice([name for name in columns if name not in UNTOUCHED])
            tool.execute(
                f"UPDATE OR IGNORE taskflow_tasks SET {column} = ? WHERE task_id = ?",  # noqa: S608
                (chance.choice(JUNK), f"task-{number:03}"),
            )
        tool.commit()
    manager = TaskManager(snapshot_backend=SqliteBackend(path))
    manager.task(persist=True)(work)
    await manager.startup()
    whole = set(range(TASKS)) - set(damaged)
    for number in whole:
        assert (await manager.wait(f"task-{number:03}", 20)).status is TaskStatus.SUCCESS
    shown = (await manager.history.query(Query(limit=TASKS))).tasks
    for number in damaged:
        await manager.history.get(f"task-{number:03}")
    await manager.history.metrics()
    await manager.shutdown()
    unreadable = [task for task in shown if "cannot be read" in (task.error or "")]
    assert len(shown) == TASKS
    assert len(unreadable) > TASKS // 20
    assert {task.status for task in unreadable} == {TaskStatus.FAILED}
