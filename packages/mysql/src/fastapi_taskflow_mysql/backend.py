"""Tasks in a MySQL or MariaDB database."""

from __future__ import annotations

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
from .dialect import MYSQL
from .server import CLOCK, MySQLServer


class MySQLBackend(SqlBackend):
    """Storage in one database, for any number of processes on any hosts.

    It needs MySQL 8.0 or MariaDB 10.6, or newer. Tables are created when it is opened.

    Args:
        url: ``mysql://user:password@host:3306/database``, or ``mariadb://``. Options may
            follow: ``?ssl_ca=ca.pem&ssl_verify_identity=true``, ``ssl_cert``, ``ssl_key``,
            ``ssl_key_password``, ``ssl_verify_cert`` (the default with ``ssl_ca``),
            ``ssl_disabled``, ``unix_socket``, ``bind_address``.
        prefix: What the names of tables and indexes begin with.
        pool_size: Most connections at once, at least 2; half of them only read. The
            heartbeat has one more.
        connect_timeout: Seconds that a new connection may take.
        statement_timeout: Seconds to wait for an answer of the server, and for a free
            connection.

    Raises:
        ValueError: an argument makes no sense.
    """

    def __init__(
        self,
        url: str | Address,
        *,
        prefix: str = "taskflow_",
        pool_size: int = 4,
        connect_timeout: float = 5.0,
        statement_timeout: float = 10.0,
    ) -> None:
        self._address = Address.parse(url)
        self._limits = Limits(
            pool_size=checks.whole("pool_size", pool_size, least=2),
            connect_timeout=checks.seconds("connect_timeout", connect_timeout, zero=False),
            statement_timeout=checks.seconds("statement_timeout", statement_timeout, zero=False),
        )
        sql = Statements(MYSQL, prefix)
        super().__init__(
            sql,
            ServerConnections(MySQLServer(self._address, sql, self._limits), pool_size),
            ServerClock(CLOCK),
            presence_on_host(f"{self._address} {prefix}"),
            Capabilities(survives_restart=True, shared=True),
        )

    def __repr__(self) -> str:
        return f"MySQLBackend({self._address.name!r})"

    def another(self) -> MySQLBackend:
        """A further backend for the same data, not open yet."""
        return MySQLBackend(self._address, prefix=self._sql.prefix, **asdict(self._limits))
