"""Statements that must stay quick on a long history use the index meant for them."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from mysql_tools import database_of, run
from plan_cases import TAGS, each_cursor, each_list_of_whole_indexes

from fastapi_taskflow_core.backends.base import Claim, Cursor, Query
from fastapi_taskflow_mysql import MySQLBackend
from fastapi_taskflow_mysql.address import Address
from fastapi_taskflow_mysql.dialect import MYSQL
from fastapi_taskflow_mysql.server import CLOCK
from fastapi_taskflow_mysql.session import MySQLSession
from fastapi_taskflow_sql import BeatsOnly, ServerClock, Statements
from fastapi_taskflow_sql.claims import Claims
from fastapi_taskflow_sql.connection import Row, Value
from fastapi_taskflow_sql.instances import Instances
from fastapi_taskflow_sql.pages import Pages
from fastapi_taskflow_sql.tasks import Tasks
from fastapi_taskflow_testkit.builders import FUNCTION, a_beat
from fastapi_taskflow_testkit.patience import opened

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=45)
SQL = Statements(MYSQL)
FINISHED = """
INSERT INTO taskflow_tasks (task_id, func_name, created_at, status, queue, start_time, end_time,
    finished_at, executor)
SELECT CONCAT('f', seq), CONCAT('f', seq % 7), {noon} + seq * 1000,
    CASE seq % 10 WHEN 0 THEN 'failed' WHEN 1 THEN 'cancelled' ELSE 'success' END,
    CASE seq % 3 WHEN 0 THEN 'email' ELSE 'default' END,
    {noon} + seq * 1000, {noon} + seq * 1000, {noon} + seq * 1000, 'async'
FROM seq_1_to_90000
"""
WAITING = """
INSERT INTO taskflow_tasks (task_id, func_name, created_at, status, queue, executor, owner, persist)
SELECT CONCAT('w', seq), '{function}', {noon} + seq, 'pending', 'default', 'async',
    CASE seq % 2 WHEN 0 THEN NULL ELSE CONCAT('i', seq % 3) END, 1
FROM seq_1_to_10000
"""
TAGGED = "INSERT INTO taskflow_tags SELECT 'n=7', created_at, task_id FROM taskflow_tasks LIMIT 500"


@dataclass
class Explained:
    """A connection that notes the plan of each statement that reads."""

    session: MySQLSession
    plans: list[str]

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run a statement."""
        return self.session.execute(sql, parameters)

    def fetch(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query."""
        steps = self.session.fetch(f"EXPLAIN {sql}", parameters)
        self.plans.append("\n".join(str(step) for step in steps))
        return self.session.fetch(sql, parameters)


@pytest.fixture(scope="module")
def filled(server: str) -> Iterator[str]:
    """A database with 100,000 tasks."""
    noon = int(NOON.timestamp() * 1e6)
    with database_of(server, f"taskflow_test_plans_{os.getpid()}") as url:

        async def make() -> None:
            async with opened(MySQLBackend(url)):
                pass

        asyncio.run(make())
        for statement in (FINISHED, WAITING, TAGGED):
            run(url, statement.format(noon=noon, function=FUNCTION))
        run(url, "ANALYZE TABLE taskflow_tasks", "ANALYZE TABLE taskflow_tags")
        yield url


@pytest.fixture
def connection(filled: str) -> Iterator[Explained]:
    """A connection to it."""
    with closing(MySQLSession(Address.parse(filled), time.monotonic() + 10, 30)) as session:
        session.begin("START TRANSACTION;", time.monotonic() + 30)
        yield Explained(session, [])


@each_cursor(LATER)
@each_list_of_whole_indexes
def test_a_list_is_read_along_its_index(
    connection: Explained, query: Query, index: str, cursor: Cursor | None
) -> None:
    Pages(SQL).page(connection, replace(query, cursor=cursor))
    assert connection.plans
    for plan in connection.plans:
        assert (index if index != TAGS else "PRIMARY") in plan
        assert "filesort" not in plan or query.retry_of


def test_tasks_of_an_owner_are_read_along_an_index_of_unfinished_ones(
    connection: Explained,
) -> None:
    Pages(SQL).page(connection, Query(owner="x"))
    assert len(connection.plans) == 2
    assert all(re.search("taskflow_tasks_(due|status)", plan) for plan in connection.plans)


def test_claiming_and_taking_over_are_read_along_the_index_of_what_is_due(
    connection: Explained,
) -> None:
    instances = Instances(SQL, ServerClock(CLOCK), BeatsOnly())
    instances.beat(connection, a_beat("i1"))
    connection.plans.clear()
    claims = Claims(SQL, ServerClock(CLOCK), Tasks(SQL), instances)
    claimed = claims.claim(connection, Claim("i1", frozenset({FUNCTION}), limit=10))
    assert len(claimed.tasks) == 10
    about_tasks = [plan for plan in connection.plans if "taskflow_tasks" in plan]
    assert about_tasks
    for plan in about_tasks:
        assert "taskflow_tasks_owner" in plan or "taskflow_tasks_due" in plan or "PRIMARY" in plan
        assert "'ALL'" not in plan
