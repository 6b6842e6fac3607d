"""Changes of the schema that are cut off between two statements, and the start after that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest
from mysql_tools import run

from fastapi_taskflow_mysql import MySQLBackend
from fastapi_taskflow_mysql.address import Address
from fastapi_taskflow_mysql.dialect import MYSQL
from fastapi_taskflow_mysql.server import MySQLServer
from fastapi_taskflow_mysql.session import MySQLSession
from fastapi_taskflow_sql import Limits, Statements
from fastapi_taskflow_sql.connection import Value
from fastapi_taskflow_sql.migrations import UPGRADES, Upgrade
from fastapi_taskflow_testkit.builders import a_task, put, stored
from fastapi_taskflow_testkit.patience import opened

LIMITS = Limits(pool_size=2, connect_timeout=5, statement_timeout=10)
STEPS: Sequence[Upgrade] = (
    lambda sql: [
        f"ALTER TABLE {sql.prefix}tasks ADD COLUMN colour VARCHAR(20)",
        f"UPDATE {sql.prefix}tasks SET retries_used = retries_used + 1",
        f"UPDATE {sql.prefix}tasks SET colour = CONCAT('red', COALESCE(colour, ''))",
        f"CREATE INDEX {sql.prefix}tasks_colour ON {sql.prefix}tasks (colour)",
    ],
    lambda sql: [
        f"CREATE TABLE {sql.prefix}colours (name VARCHAR(20) PRIMARY KEY)",
        f"INSERT INTO {sql.prefix}colours VALUES ('red')",
        f"DROP INDEX {sql.prefix}tasks_func ON {sql.prefix}tasks",
    ],
)
TAKEN_BACK = (
    "DROP TABLE taskflow_colours",
    "ALTER TABLE taskflow_tasks DROP COLUMN colour",
    "CREATE INDEX taskflow_tasks_func ON taskflow_tasks (func_name, created_at)",
    "UPDATE taskflow_tasks SET retries_used = 0",
    "UPDATE taskflow_meta SET value = '1'",
)
SCHEMA = (
    "SELECT table_name, column_name, NULL FROM information_schema.columns"
    " WHERE table_schema = DATABASE() UNION ALL"
    " SELECT table_name, index_name, column_name FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() ORDER BY 1, 2, 3"
)


class Cut(Exception):
    """The process ends here."""


class Dying(MySQLSession):
    """Lets go of the server in front of its statement *left*."""

    left = 0

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run the statement, if there is time for it."""
        if self.left == 0:
            self.close()
            raise Cut
        self.left -= 1
        return super().execute(sql, parameters)


def change(url: str, upgrades: Sequence[Upgrade], left: int = -1) -> bool:
    """Start, and end before the statement *left*; whether all was done before."""
    address, statements = Address.parse(url), Statements(MYSQL)
    server = MySQLServer(address, statements, LIMITS)
    deadline = time.monotonic() + 30
    session = Dying(address, deadline, LIMITS.statement_timeout)
    session.left = left
    session.begin(server.to_migrate.beginning, deadline)
    try:
        server.migrate(session, upgrades)
        session.commit()
    except Exception:
        if session.left:
            raise
        return False
    finally:
        session.close()
    return True


def upgraded(url: str) -> list[tuple]:
    """All there is to see after the upgrade."""
    assert run(url, "SELECT name, value FROM taskflow_meta") == [("schema", "3")]
    assert run(url, "SELECT name FROM taskflow_colours") == [("red",)]
    assert run(url, "SELECT retries_used, colour FROM taskflow_tasks") == [(1, "red")] * 3
    return run(url, SCHEMA)


async def test_an_upgrade_that_is_cut_off_anywhere_goes_on_where_it_was(url: str) -> None:
    async with opened(MySQLBackend(url)) as backend:
        await put(backend, *(a_task() for _ in range(3)))
    await asyncio.to_thread(change, url, STEPS)
    whole, cuts, done = upgraded(url), 0, False
    while not done:
        run(url, *TAKEN_BACK)
        done = await asyncio.to_thread(change, url, STEPS, cuts)
        if not done:
            cuts += 1
            assert await asyncio.to_thread(change, url, STEPS)
        assert upgraded(url) == whole
    assert cuts >= 14


@pytest.mark.parametrize("left", [1, 20, 33])
async def test_tables_whose_making_was_cut_off_are_made_by_the_next_start(
    url: str, tables: str, left: int
) -> None:
    assert not await asyncio.to_thread(change, url, UPGRADES, left)
    async with opened(MySQLBackend(url)) as backend:
        task = a_task()
        await put(backend, task)
        assert await stored(backend, task) == task
    assert run(url, SCHEMA) == run(tables, SCHEMA)


async def test_a_step_in_whose_way_something_is_says_so(url: str) -> None:
    async with opened(MySQLBackend(url)):
        pass
    twice: Sequence[Upgrade] = (
        lambda sql: [
            f"ALTER TABLE {sql.prefix}tasks ADD COLUMN colour VARCHAR(20)",
            f"CREATE TABLE {sql.prefix}logs (x INT)",
        ],
    )
    with pytest.raises(Exception, match="already exists"):
        await asyncio.to_thread(change, url, twice)
