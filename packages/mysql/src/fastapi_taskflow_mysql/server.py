"""MySQL and MariaDB as servers for tasks: how to connect, what errors mean, how tables are made."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from fastapi_taskflow_sql import Connection, Limits, Statements, Terms, is_current, migrate
from fastapi_taskflow_sql.migrations import UPGRADES, Upgrade, stored_version
from fastapi_taskflow_sql.schema import TABLES

from .address import Address
from .dialect import MARIADB_TAIL, MYSQL_TAIL
from .inspection import refuse_without_rights, warn_if_not_durable
from .session import MySQLSession
from .translation import met_another, out_of_place, translated, was_done

# SYSDATE goes on within a statement and a transaction; NOW does not.
CLOCK = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)"

_MIGRATION = 600.0
"""Seconds that a change of the schema may take, with waiting for another's."""
_WRITE = "START TRANSACTION;"
_READ = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;"
)
# A change of the schema ends any transaction. What is noted of it begins the next one, in which
# is then all that can be undone.
_MIGRATE = "SET autocommit = 0;"
_LOCK = "SELECT GET_LOCK(CONCAT('taskflow:', LEFT(SHA2(CONCAT(DATABASE(), %s), 256), 40)), %s)"
_UNLOCK = "SELECT RELEASE_ALL_LOCKS()"
_VERSION = "SELECT VERSION()"


class MySQLServer:
    """One database."""

    kind = "mysql"

    def __init__(self, address: Address, sql: Statements, limits: Limits) -> None:
        self.to_write = Terms(limits.statement_timeout, _WRITE)
        self.to_read = Terms(limits.statement_timeout, _READ)
        self.to_migrate = Terms(_MIGRATION, _MIGRATE)
        self._address = address
        self._sql = sql
        self._limits = limits

    def connect(self, deadline: float) -> MySQLSession:
        """A new connection."""
        soon = min(deadline, time.monotonic() + self._limits.connect_timeout)
        return MySQLSession(self._address, soon, self._limits.statement_timeout)

    def met_another(self, error: BaseException) -> bool:
        """Whether the transaction failed because of another one."""
        return met_another(error)

    def out_of_place(self, error: BaseException) -> bool:
        """Whether the server only reads by now: a new connection may find its successor."""
        return out_of_place(error)

    def translated(self) -> AbstractContextManager[None]:
        """Errors that leave the block are those of the contract."""
        return translated(self._address.name)

    def inspect(self, connection: Connection) -> bool:
        """Whether the tables are there and up to date."""
        if not is_current(self._sql, connection, self._address.name):
            return False
        refuse_without_rights(self._sql, connection)
        warn_if_not_durable(connection, self._address.name)
        return True

    def migrate(self, connection: Connection, upgrades: Sequence[Upgrade] = UPGRADES) -> None:
        """Create the tables or bring them up to date, under a lock.

        The version is stored last, so tables without one were never used, and are made anew.
        """
        sql = self._sql
        # Shorter than the session waits for an answer.
        wait = max(0.5, self._limits.statement_timeout - 1)
        if connection.fetch(_LOCK, (sql.prefix, wait)) != [(1,)]:
            raise TimeoutError("another instance is changing the tables")
        try:
            if is_current(sql, connection, self._address.name, upgrades):
                return
            if not stored_version(sql, connection):
                for table in TABLES:
                    connection.execute(f"DROP TABLE IF EXISTS {sql.prefix}{table.name}")
            version = connection.fetch(_VERSION)[0][0]
            tail = MARIADB_TAIL if "mariadb" in version.lower() else MYSQL_TAIL
            dialect = replace(sql.dialect, table_tail=tail, clustered_tail=tail)
            ours = Statements(dialect, sql.prefix)
            migrate(ours, connection, self._address.name, upgrades, was_done)
            connection.execute("COMMIT")  # before another has the lock
        finally:
            connection.fetch(_UNLOCK)
