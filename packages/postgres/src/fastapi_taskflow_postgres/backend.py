"""Tasks in a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from fastapi_taskflow_core import checks
from fastapi_taskflow_core.backends.base import Capabilities
from fastapi_taskflow_core.backends.presence import presence_on_host
from fastapi_taskflow_sql import (
    Limits,
    ServerClock,
    ServerConnections,
    SqlBackend,
    Statements,
)

from .address import Address
from .dialect import POSTGRES
from .news import KNOCK, channel, listen
from .server import CLOCK, PostgresServer


class PostgresBackend(SqlBackend):
    """Storage in one schema of a database, for any number of processes on any hosts.

    It needs PostgreSQL 13 or newer and a database in UTF8. Tables are created and migrated
    when it is opened. A pooler in transaction mode may stand between.

    Args:
        url: ``postgresql://user:password@host:5432/database``. Options of libpq may follow,
            such as ``?sslmode=verify-full&sslrootcert=ca.pem`` or
            ``?target_session_attrs=read-write``.
        schema: Where the tables are; made if it is not there. None: where the server puts
            new tables of this user, which is usually ``public``.
        prefix: What the names of tables and indexes begin with.
        pool_size: Most connections at once, at least 2; half of them only read. The
            heartbeat has one more.
        connect_timeout: Seconds that a new connection may take.
        statement_timeout: Seconds that an operation may take, waiting for a free
            connection included; after as long the server ends its statements too.

    Raises:
        ValueError: an argument makes no sense.
    """

    def __init__(
        self,
        url: str | Address,
        *,
        schema: str | None = None,
        prefix: str = "taskflow_",
        pool_size: int = 4,
        connect_timeout: float = 5.0,
        statement_timeout: float = 10.0,
    ) -> None:
        self._address = Address.parse(url)
        self._schema = schema if schema is None else checks.text("schema", schema, longest=63)
        self._limits = Limits(
            pool_size=checks.whole("pool_size", pool_size, least=2),
            connect_timeout=checks.seconds("connect_timeout", connect_timeout, zero=False),
            statement_timeout=checks.seconds("statement_timeout", statement_timeout, zero=False),
        )
        sql = Statements(POSTGRES, prefix)
        self._server = PostgresServer(self._address, sql, self._schema, self._limits)
        self._channel = channel(self._schema, prefix)
        super().__init__(
            sql,
            ServerConnections(self._server, pool_size),
            ServerClock(CLOCK),
            presence_on_host(f"{self._address} {self._schema} {prefix}"),
            Capabilities(survives_restart=True, shared=True),
        )

    def __repr__(self) -> str:
        return f"PostgresBackend({self._address.name!r})"

    async def knock(self) -> None:
        """See `NewsStore.knock`."""
        await self._connections.write(lambda connection: connection.fetch(KNOCK, (self._channel,)))

    async def listen(self, heard: Callable[[], object]) -> None:
        """See `NewsStore.listen`."""
        await listen(self._server, self._channel, self.knock, heard)

    def another(self) -> PostgresBackend:
        """A further backend for the same data, not open yet."""
        return PostgresBackend(
            self._address, schema=self._schema, prefix=self._sql.prefix, **asdict(self._limits)
        )
