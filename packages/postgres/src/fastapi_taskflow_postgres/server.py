"""PostgreSQL as a server for tasks: how to connect, what errors mean, where the tables are."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, suppress

from psycopg2.errors import ReadOnlySqlTransaction
from psycopg2.extensions import TransactionRollbackError

from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_sql import Connection, Limits, Statements, is_current, migrate

from .address import Address
from .inspection import refuse_without_rights, warn_if_not_durable
from .session import PostgresSession
from .terms import quoted, to_read, to_write
from .translation import translated

CLOCK = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT"

_MIGRATION = 600.0
"""Seconds that a change of the schema may take, with waiting for another's."""
# Held by whoever creates or changes tables of ours in the database; the number is any.
_LOCK = "SELECT pg_advisory_xact_lock(7306092816104875)"
_HAS_SCHEMA = "SELECT COUNT(*) FROM pg_catalog.pg_namespace WHERE nspname = %s"


class PostgresServer:
    """One schema of a database; *schema* None is where the server puts new tables."""

    kind = "postgres"

    def __init__(
        self, address: Address, sql: Statements, schema: str | None, limits: Limits
    ) -> None:
        self.to_write = to_write(limits.statement_timeout, schema)
        self.to_read = to_read(limits.statement_timeout, schema)
        self.to_migrate = to_write(_MIGRATION, schema)
        self._address = address
        self._sql = sql
        self._schema = schema
        self._connect_timeout = limits.connect_timeout

    def connect(self, deadline: float) -> PostgresSession:
        """A new connection, to the first host that answers."""
        # libpq goes on to the next host only if one refuses, not if it is silent.
        *hosts, last = self._address.each_host()
        for host in hosts:
            with suppress(BackendUnavailable):
                return PostgresSession(host, self._soon(deadline))
        return PostgresSession(last, self._soon(deadline))

    def met_another(self, error: BaseException) -> bool:
        """Whether the server chose the transaction to give way."""
        return isinstance(error, TransactionRollbackError)

    def out_of_place(self, error: BaseException) -> bool:
        """Whether the server has become a standby: a new connection may find its successor."""
        return isinstance(error, ReadOnlySqlTransaction)

    def translated(self) -> AbstractContextManager[None]:
        """Errors that leave the block are those of the contract."""
        return translated(self._address.name)

    def inspect(self, connection: Connection) -> bool:
        """Whether the tables are there and up to date."""
        name = self._address.name
        if not is_current(self._sql, connection, name):
            return False
        refuse_without_rights(self._sql, connection, name)
        warn_if_not_durable(connection, name)
        return True

    def migrate(self, connection: Connection) -> None:
        """Make the schema and the tables, or bring them up to date, in one transaction."""
        connection.fetch(_LOCK)
        schema = self._schema
        if schema is not None and not connection.fetch(_HAS_SCHEMA, (schema,))[0][0]:
            connection.execute(f"CREATE SCHEMA {quoted(schema)}")
        migrate(self._sql, connection, self._address.name)

    def _soon(self, deadline: float) -> float:
        return min(deadline, time.monotonic() + self._connect_timeout)
