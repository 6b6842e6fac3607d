"""Schemas of other versions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from fastapi_taskflow_core.errors import SchemaTooNew
from fastapi_taskflow_sql import Dialect, Statements, migrate
from fastapi_taskflow_sql.connection import Row, Value
from fastapi_taskflow_sql.migrations import Upgrade, stored_version
from fastapi_taskflow_sqlite.dialect import SQLITE

SQL = Statements(SQLITE)
COLOURS: Sequence[Upgrade] = (
    lambda sql: [f"ALTER TABLE {sql.prefix}tasks ADD COLUMN colour TEXT"],
    lambda sql: [f"CREATE INDEX {sql.prefix}tasks_colour ON {sql.prefix}tasks (colour)"],
)


class Plain:
    """A connection to a database in memory."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run a statement."""
        return self._driver.execute(sql, parameters).rowcount

    def fetch(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query."""
        return self._driver.execute(sql, parameters).fetchall()


@pytest.fixture
def connection() -> Iterator[Plain]:
    """An empty database."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as driver:
        yield Plain(driver)


def schema(connection: Plain) -> list[Row]:
    """All there is."""
    return connection.fetch("SELECT name, sql FROM sqlite_master ORDER BY name")


def test_an_empty_database_gets_the_present_schema(connection: Plain) -> None:
    assert stored_version(SQL, connection) == 0
    migrate(SQL, connection, "here")
    assert stored_version(SQL, connection) == 1


def test_migrating_twice_is_migrating_once(connection: Plain) -> None:
    migrate(SQL, connection, "here")
    before = schema(connection)
    migrate(SQL, connection, "here")
    assert schema(connection) == before


@pytest.mark.parametrize("done", [0, 1])
def test_an_older_schema_takes_the_steps_it_lacks(connection: Plain, done: int) -> None:
    migrate(SQL, connection, "here")
    migrate(SQL, connection, "here", COLOURS[:done])
    migrate(SQL, connection, "here", COLOURS)
    assert stored_version(SQL, connection) == 3
    assert connection.fetch("SELECT colour FROM taskflow_tasks") == []


def test_a_step_goes_on_behind_what_is_noted_and_leaves_no_note(connection: Plain) -> None:
    step: Upgrade = lambda sql: [  # noqa: E731  as they are written
        "CREATE TABLE first (x)",
        "CREATE TABLE second (x)",
        "CREATE TABLE third (x)",
    ]
    migrate(SQL, connection, "here")
    connection.execute("CREATE TABLE first (x)")
    connection.execute("CREATE TABLE second (x)")
    connection.execute("INSERT INTO taskflow_meta VALUES ('done', '1')")
    with pytest.raises(sqlite3.OperationalError, match="second already exists"):
        migrate(SQL, connection, "here", [step])
    migrate(SQL, connection, "here", [step], lambda error: "already exists" in str(error))
    assert connection.fetch("SELECT * FROM taskflow_meta") == [("schema", "2")]
    assert connection.fetch("SELECT COUNT(*) FROM third") == [(0,)]


def test_a_newer_schema_is_refused_and_left_as_it_is(connection: Plain) -> None:
    migrate(SQL, connection, "here")
    migrate(SQL, connection, "here", COLOURS)
    before = schema(connection)
    with pytest.raises(SchemaTooNew, match="here has schema version 3, this version knows up to 1"):
        migrate(SQL, connection, "here")
    assert schema(connection) == before


def test_two_prefixes_share_a_database_and_nothing_else(connection: Plain) -> None:
    for prefix in ("one_", "two_"):
        migrate(Statements(SQLITE, prefix), connection, "here")
    names = [name for name, _ in schema(connection) if not name.startswith("sqlite_")]
    assert {name[:4] for name in names} == {"one_", "two_"}


def test_a_dialect_without_partial_indexes_has_whole_ones(connection: Plain) -> None:
    whole = Dialect(
        types=SQLITE.types,
        has_table=SQLITE.has_table,
        on_conflict=SQLITE.on_conflict,
        old=SQLITE.old,
        new=SQLITE.new,
        on_conflict_keep=SQLITE.on_conflict_keep,
    )
    migrate(Statements(whole), connection, "here")
    assert not [sql for _, sql in schema(connection) if sql and " WHERE " in sql]
