"""Connections to one database: some that write, some that read, on threads of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from fastapi_taskflow_sql import Connection, Driver, Lane, Statements, Terms, is_current, migrate
from fastapi_taskflow_sql.migrations import stored_version
from fastapi_taskflow_sql.schema import TABLES

from .address import Address
from .dialect import MARIADB_TAIL, MYSQL_TAIL
from .inspection import refuse_without_rights, warn_if_not_durable
from .session import MySQLSession
from .translation import met_another, out_of_place, translated

_MIGRATION = 600.0
"""Seconds that a change of the schema may take, with waiting for another's."""
_WRITE = "START TRANSACTION;"
_READ = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;"
)
_LOCK = "SELECT GET_LOCK(CONCAT('taskflow:', LEFT(SHA2(CONCAT(DATABASE(), %s), 256), 40)), %s)"
_UNLOCK = "SELECT RELEASE_ALL_LOCKS()"
_VERSION = "SELECT VERSION()"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many connections there may be, and how many seconds things may take."""

    pool_size: int
    connect_timeout: float
    statement_timeout: float


class MySQLConnections:
    """Runs work in transactions. All commit as the server is set up to, history too."""

    def __init__(self, address: Address, sql: Statements, limits: Limits) -> None:
        self._address = address
        self._sql = sql
        self._limits = limits
        driver = Driver(self._connect, met_another, out_of_place)
        readers = limits.pool_size // 2
        self._writing = Lane("taskflow-mysql-writer", limits.pool_size - readers, driver)
        self._reading = Lane("taskflow-mysql-reader", readers, driver)
        self._to_write = Terms(limits.statement_timeout, _WRITE)
        self._to_read = Terms(limits.statement_timeout, _READ)
        self._opened = False

    async def open(self) -> None:
        """Create or migrate the tables. Twice is once."""
        if self._opened:
            return
        self._writing.start()
        try:
            if not await self.write(self._inspect):
                migration = Terms(_MIGRATION, "")
                with translated(self._address.name):
                    await self._writing.run(self._migrate, migration)
                await self.write(self._inspect)
        except BaseException:
            self._writing.stop()
            raise
        self._reading.start()
        self._opened = True

    async def close(self) -> None:
        """Close every connection; one that is busy, when it is done."""
        self._opened = False
        self._reading.stop()
        self._writing.stop()

    async def write(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:  # noqa: ARG002  all is
        """Do *work* in one transaction."""
        with translated(self._address.name):
            return await self._writing.run(work, self._to_write)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do *work* on one state of the data."""
        with translated(self._address.name):
            return await self._reading.run(work, self._to_read)

    def _connect(self, deadline: float) -> MySQLSession:
        soon = min(deadline, time.monotonic() + self._limits.connect_timeout)
        return MySQLSession(self._address, soon, self._limits.statement_timeout)

    def _inspect(self, connection: Connection) -> bool:
        """Whether the tables are there and up to date."""
        name = self._address.name
        if not is_current(self._sql, connection, name):
            return False
        refuse_without_rights(self._sql, connection)
        warn_if_not_durable(connection, name)
        return True

    def _migrate(self, connection: Connection) -> None:
        """Create the tables, under a lock: here no transaction can undo what was half done.

        The version is stored last, so tables without one were never used.
        """
        sql = self._sql
        connection.fetch(_LOCK, (sql.prefix, int(self._limits.statement_timeout)))
        try:
            if is_current(sql, connection, self._address.name):
                return
            if not stored_version(sql, connection):
                for table in TABLES:
                    connection.execute(f"DROP TABLE IF EXISTS {sql.prefix}{table.name}")
            version = connection.fetch(_VERSION)[0][0]
            tail = MARIADB_TAIL if "mariadb" in version.lower() else MYSQL_TAIL
            dialect = replace(sql.dialect, table_tail=tail, clustered_tail=tail)
            migrate(Statements(dialect, sql.prefix), connection, self._address.name)
        finally:
            connection.fetch(_UNLOCK)
