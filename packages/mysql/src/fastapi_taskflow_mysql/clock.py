"""The clock of the database server, which all instances share."""

from __future__ import annotations

from fastapi_taskflow_sql import Connection, Tick

# SYSDATE goes on within a statement and a transaction; NOW does not.
_NOW = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)"
_ERA = "server"


class ServerClock:
    """Leases are counted by the server's wall clock; no host's clock is asked."""

    def now(self, connection: Connection) -> int:
        """The server's time, in microseconds since the Unix epoch."""
        return int(connection.fetch(_NOW)[0][0])

    def tick(self, connection: Connection) -> Tick:
        """The same: it is one clock for all who use the server."""
        return Tick(self.now(connection), _ERA)
