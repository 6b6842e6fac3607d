"""Statements that must stay quick on a long history use the index meant for them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from plan_cases import TAGS, each_cursor, each_list
from postgres_tools import run

from fastapi_taskflow_core.backends.base import Batch, Claim, Cursor, Query
from fastapi_taskflow_postgres.address import Address
from fastapi_taskflow_postgres.dialect import POSTGRES
from fastapi_taskflow_postgres.server import CLOCK
from fastapi_taskflow_postgres.session import PostgresSession
from fastapi_taskflow_postgres.terms import to_read, to_write
from fastapi_taskflow_sql import BeatsOnly, ServerClock, Statements, Terms, migrate
from fastapi_taskflow_sql.batches import Batches
from fastapi_taskflow_sql.claims import Claims
from fastapi_taskflow_sql.connection import Row, Value
from fastapi_taskflow_sql.instances import Instances
from fastapi_taskflow_sql.pages import Pages
from fastapi_taskflow_sql.statements import UNFINISHED_COUNTS
from fastapi_taskflow_sql.tasks import Tasks
from fastapi_taskflow_testkit.builders import FUNCTION, a_beat, a_task, ended

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=45)
SCHEMA = f"taskflow_test_plans_{os.getpid()}"
SQL = Statements(POSTGRES)
FINISHED = """
INSERT INTO taskflow_tasks (task_id, func_name, created_at, status, queue, start_time, end_time,
    finished_at, executor)
SELECT 'f' || i, 'f' || i % 7, {noon} + i * 1000,
    CASE i % 10 WHEN 0 THEN 'failed' WHEN 1 THEN 'cancelled' ELSE 'success' END,
    CASE i % 3 WHEN 0 THEN 'email' ELSE 'default' END,
    {noon} + i * 1000, {noon} + i * 1000, {noon} + i * 1000, 'async'
FROM generate_series(1, 90000) AS i
"""
WAITING = """
INSERT INTO taskflow_tasks (task_id, func_name, created_at, status, queue, executor, owner,
    persist, tags)
SELECT 'w' || i, '{function}', {noon} + i, 'pending', 'default', 'async',
    CASE i % 2 WHEN 0 THEN NULL ELSE 'i' || i % 3 END, 1, '{{"n": "' || i || '"}}'
FROM generate_series(1, 10000) AS i
"""
TAGGED = """
INSERT INTO taskflow_tags SELECT tag, created_at, task_id FROM taskflow_tasks,
    LATERAL (VALUES ('n'), ('n=' || substr(task_id, 2))) AS t (tag) WHERE tags IS NOT NULL
"""


@dataclass
class Explained:
    """A connection that notes the plan of each statement."""

    session: PostgresSession
    plans: list[str]

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run a statement."""
        self._explain(sql, parameters)
        return self.session.execute(sql, parameters)

    def fetch(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query."""
        self._explain(sql, parameters)
        return self.session.fetch(sql, parameters)

    def _explain(self, sql: str, parameters: Sequence[Value]) -> None:
        steps = self.session.fetch(f"EXPLAIN {sql}", parameters)
        self.plans.append("\n".join(line for (line,) in steps))


@pytest.fixture(scope="module")
def filled(url: str) -> Iterator[str]:
    """A database with 100,000 tasks."""
    noon = int(NOON.timestamp() * 1e6)
    drop = f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"
    run(url, "SET client_min_messages = error", drop, f"CREATE SCHEMA {SCHEMA}")
    session = PostgresSession(Address.parse(url), time.monotonic() + 60)
    session.begin(to_write(60, SCHEMA).beginning, time.monotonic() + 60)
    migrate(SQL, session, "plans")
    for statement in (FINISHED, WAITING, TAGGED):
        session.execute(statement.format(noon=noon, function=FUNCTION).replace("%", "%%"))
    session.execute("ANALYZE")
    session.commit()
    session.close()
    yield url
    run(url, "SET client_min_messages = error", drop)


@contextmanager
def explained(url: str, terms: Terms) -> Iterator[Explained]:
    session = PostgresSession(Address.parse(url), time.monotonic() + 10)
    session.begin(terms.beginning, time.monotonic() + 10)
    yield Explained(session, [])
    session.close()


@pytest.fixture
def reader(filled: str) -> Iterator[Explained]:
    """A connection to it that reads."""
    with explained(filled, to_read(10, SCHEMA)) as connection:
        yield connection


@pytest.fixture
def connection(filled: str) -> Iterator[Explained]:
    """A connection to it that writes, in a transaction that is undone."""
    with explained(filled, to_write(10, SCHEMA)) as connection:
        yield connection


@each_cursor(LATER)
@each_list
def test_a_list_is_read_along_its_index(
    reader: Explained, query: Query, index: str, cursor: Cursor | None
) -> None:
    Pages(SQL).page(reader, replace(query, cursor=cursor))
    assert reader.plans
    for plan in reader.plans:
        assert (index if index != TAGS else "taskflow_tags_pkey") in plan
        assert "Seq Scan" not in plan
        assert "->  Sort" not in plan or query.retry_of


def test_tasks_of_an_owner_are_read_along_an_index_of_unfinished_ones(reader: Explained) -> None:
    Pages(SQL).page(reader, Query(owner="x"))
    assert len(reader.plans) == 2
    assert all(re.search("taskflow_tasks_(due|status)", plan) for plan in reader.plans)


def test_claiming_and_taking_over_are_read_along_the_index_of_what_is_due(
    connection: Explained,
) -> None:
    instances = Instances(SQL, ServerClock(CLOCK), BeatsOnly())
    instances.beat(connection, a_beat("i1"))
    connection.plans.clear()
    wanted = Claim("i1", frozenset({FUNCTION}))
    claimed = Claims(SQL, ServerClock(CLOCK), Tasks(SQL), instances).claim(connection, wanted)
    assert len(claimed.tasks) == 100
    about_tasks = [plan for plan in connection.plans if "taskflow_tasks" in plan]
    assert about_tasks
    for plan in about_tasks:
        assert "Seq Scan on taskflow_tasks" not in plan
        assert "Sort" not in plan, plan


def test_retention_is_read_along_the_index_of_the_ends(connection: Explained) -> None:
    assert Tasks(SQL).delete(connection, NOON + timedelta(days=1), 100) == 100
    assert "taskflow_tasks_finished" in connection.plans[0]
    assert not [plan for plan in connection.plans if "Seq Scan on taskflow_tasks" in plan]


def test_updates_find_their_tasks_by_id(connection: Explained) -> None:
    updates = [ended(a_task(task_id=f"w{number}", owner="i1")) for number in range(1, 65)]
    Batches(SQL, Tasks(SQL)).write(connection, Batch("i1", updates=updates), look=True)
    Tasks(SQL).change(connection, updates, "i1")
    assert [plan for plan in connection.plans if "taskflow_tasks_pkey" in plan]
    assert not [plan for plan in connection.plans if "Seq Scan on taskflow_tasks" in plan]


def test_what_is_unfinished_is_counted_without_looking_at_the_rest(reader: Explained) -> None:
    reader.fetch(SQL.render(UNFINISHED_COUNTS))
    assert "taskflow_tasks_due" in reader.plans[0]
