"""Statements that must stay quick on a long history use the index meant for them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from plan_cases import TAGS, each_cursor, each_list

from fastapi_taskflow_core.backends.base import Batch, Claim, Cursor, Query
from fastapi_taskflow_core.records import TaskStatus
from fastapi_taskflow_sql import BeatsOnly, Statements, migrate, pages
from fastapi_taskflow_sql.batches import Batches
from fastapi_taskflow_sql.claims import Claims
from fastapi_taskflow_sql.connection import Row, Value
from fastapi_taskflow_sql.instances import Instances
from fastapi_taskflow_sql.pages import Pages
from fastapi_taskflow_sql.statements import UNFINISHED_COUNTS
from fastapi_taskflow_sql.tasks import Tasks
from fastapi_taskflow_sqlite.clock import HostClock
from fastapi_taskflow_sqlite.connection import Session
from fastapi_taskflow_sqlite.dialect import SQLITE
from fastapi_taskflow_testkit.builders import FUNCTION, a_beat, a_task, ended

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SQL = Statements(SQLITE)


@dataclass
class Explained:
    """A connection that notes the plan of each statement about tasks."""

    driver: sqlite3.Connection
    plans: list[str]

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run a statement."""
        self._explain(sql, parameters)
        return Session(self.driver).execute(sql, parameters)

    def fetch(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query."""
        self._explain(sql, parameters)
        return Session(self.driver).fetch(sql, parameters)

    def _explain(self, sql: str, parameters: Sequence[Value]) -> None:
        steps = self.driver.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()
        self.plans.append("; ".join(step[3] for step in steps))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Explained]:
    """A database with some thousand tasks."""
    with closing(sqlite3.connect(tmp_path / "plans.db", isolation_level=None)) as driver:
        migrate(SQL, Session(driver), "plans.db")
        statuses = [*[TaskStatus.SUCCESS] * 8, TaskStatus.FAILED, TaskStatus.CANCELLED]
        finished = [
            ended(
                a_task(
                    created_at=NOON + timedelta(milliseconds=number),
                    func_name=f"f{number % 7}",
                    queue="default" if number % 3 else "email",
                ),
                statuses[number % 10],
            )
            for number in range(3000)
        ]
        waiting = [
            a_task(
                persist=True,
                owner=f"i{number % 3}" if number % 2 else None,
                tags={"n": str(number)},
            )
            for number in range(300)
        ]
        Tasks(SQL).add(Session(driver), [*finished, *waiting])
        driver.execute("ANALYZE")
        yield Explained(driver, [])


@each_cursor(NOON)
@each_list
def test_a_list_is_read_along_its_index(
    connection: Explained, query: Query, index: str, cursor: Cursor | None
) -> None:
    Pages(SQL).page(connection, replace(query, cursor=cursor))
    assert connection.plans
    for plan in connection.plans:
        assert (index if index != TAGS else "SEARCH g USING PRIMARY KEY") in plan
        assert "B-TREE FOR ORDER BY" not in plan or query.retry_of


def test_tasks_of_an_owner_are_read_along_an_index_of_unfinished_ones(
    connection: Explained,
) -> None:
    Pages(SQL).page(connection, Query(owner="x"))
    assert len(connection.plans) == 2
    assert all(re.search("taskflow_tasks_(due|status)", plan) for plan in connection.plans)


def test_claiming_and_taking_over_are_read_along_the_index_of_what_is_due(
    connection: Explained,
) -> None:
    instances = Instances(SQL, HostClock(), BeatsOnly())
    instances.beat(connection, a_beat("i1"))
    wanted = Claim("i1", frozenset({FUNCTION}))
    claimed = Claims(SQL, HostClock(), Tasks(SQL), instances).claim(connection, wanted)
    assert len(claimed.tasks) == 100
    about_tasks = [plan for plan in connection.plans if "taskflow_tasks" in plan]
    assert about_tasks
    for plan in about_tasks:
        assert "SCAN taskflow_tasks" not in plan
        assert "taskflow_tasks_" in plan or "(task_id=?)" in plan
        assert "B-TREE" not in plan, plan


def test_retention_is_read_along_the_index_of_the_ends(connection: Explained) -> None:
    assert Tasks(SQL).delete(connection, NOON + timedelta(days=1), 100) == 100
    assert "taskflow_tasks_finished" in connection.plans[0]
    assert not [plan for plan in connection.plans if "SCAN" in plan]


def test_updates_find_their_tasks_by_id(connection: Explained) -> None:
    ids = [row[0] for row in connection.fetch("SELECT task_id FROM taskflow_tasks LIMIT 64")]
    connection.plans.clear()
    updates = [ended(a_task(task_id=task_id)) for task_id in ids]
    Batches(SQL, Tasks(SQL)).write(connection, Batch("a", updates=updates), look=True)
    Tasks(SQL).change(connection, updates, "i1")
    changes = [plan for plan in connection.plans if "SCAN v" in plan or "SCAN 1" in plan]
    assert changes
    assert not [plan for plan in changes if "SCAN taskflow_tasks" in plan]
    assert not [plan for plan in changes if "AUTOMATIC" in plan]


def test_words_are_looked_for_among_the_newest_tasks_alone(
    connection: Explained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SEARCHED", 2_900)
    found = Pages(SQL).page(connection, Query(text="send_email", limit=500))
    assert len(found.tasks) == 300
    connection.plans.clear()
    old = Pages(SQL).page(connection, Query(text="f1", limit=500))
    assert old.tasks
    assert min(task.created_at for task in old.tasks) > NOON + timedelta(milliseconds=100)
    assert all("taskflow_tasks_created" in plan for plan in connection.plans)
    assert connection.plans[0] == "SCAN taskflow_tasks USING COVERING INDEX taskflow_tasks_created"


@pytest.mark.parametrize("analyzed", [True, False])
def test_counting_what_is_unfinished_reads_nothing_else(
    connection: Explained, analyzed: bool
) -> None:
    if not analyzed:  # as in an application's file
        connection.driver.execute("DELETE FROM sqlite_stat1")
        connection.driver.execute("ANALYZE sqlite_schema")
    connection.fetch(SQL.render(UNFINISHED_COUNTS))
    assert "taskflow_tasks_due" in connection.plans[-1]
