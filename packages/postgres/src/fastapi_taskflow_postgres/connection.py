"""Connections to one database: some that write, some that read, on threads of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from psycopg2.errors import ReadOnlySqlTransaction
from psycopg2.extensions import TransactionRollbackError

from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_sql import Connection, Driver, Lane, Statements, is_current, migrate

from .address import Address
from .inspection import refuse_without_rights, warn_if_not_durable
from .session import PostgresSession
from .terms import quoted, to_read, to_write
from .translation import translated

_MIGRATION = 600.0
"""Seconds that a change of the schema may take, with waiting for another's."""
# Held by whoever creates or changes tables of ours in the database; the number is any.
_LOCK = "SELECT pg_advisory_xact_lock(7306092816104875)"
_HAS_SCHEMA = "SELECT COUNT(*) FROM pg_catalog.pg_namespace WHERE nspname = %s"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many connections there may be, and how many seconds things may take."""

    pool_size: int
    connect_timeout: float
    statement_timeout: float


class PostgresConnections:
    """Runs work in transactions.

    All commit as the server is set up to, history too: a server that crashes must not forget
    what this process, which lives on, would never write again.
    """

    def __init__(
        self, address: Address, sql: Statements, schema: str | None, limits: Limits
    ) -> None:
        self._address = address
        self._sql = sql
        self._schema = schema
        self._connect_timeout = limits.connect_timeout
        self._to_write = to_write(limits.statement_timeout, schema)
        self._to_read = to_read(limits.statement_timeout, schema)
        driver = Driver(
            self._connect,
            met_another=lambda error: isinstance(error, TransactionRollbackError),
            # The server has become a standby: a new connection may find its successor.
            out_of_place=lambda error: isinstance(error, ReadOnlySqlTransaction),
        )
        readers = limits.pool_size // 2
        self._writing = Lane("taskflow-postgres-writer", limits.pool_size - readers, driver)
        self._reading = Lane("taskflow-postgres-reader", readers, driver)
        self._opened = False

    async def open(self) -> None:
        """Create or migrate the tables. Twice is once."""
        if self._opened:
            return
        self._writing.start()
        try:
            if not await self.write(self._inspect):
                migration = to_write(_MIGRATION, self._schema)
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

    def _connect(self, deadline: float) -> PostgresSession:
        # libpq goes on to the next host only if one refuses, not if it is silent.
        *hosts, last = self._address.each_host()
        for host in hosts:
            with suppress(BackendUnavailable):
                return PostgresSession(host, self._soon(deadline))
        return PostgresSession(last, self._soon(deadline))

    def _soon(self, deadline: float) -> float:
        return min(deadline, time.monotonic() + self._connect_timeout)

    def _inspect(self, connection: Connection) -> bool:
        """Whether the tables are there and up to date."""
        name = self._address.name
        if not is_current(self._sql, connection, name):
            return False
        refuse_without_rights(self._sql, connection, name)
        warn_if_not_durable(connection, name)
        return True

    def _migrate(self, connection: Connection) -> None:
        connection.fetch(_LOCK)
        schema = self._schema
        if schema is not None and not connection.fetch(_HAS_SCHEMA, (schema,))[0][0]:
            connection.execute(f"CREATE SCHEMA {quoted(schema)}")
        migrate(self._sql, connection, self._address.name)
