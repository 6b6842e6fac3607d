"""Databases on a server of their own: its clock, and connections that write or read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from .connection import Connection, Tick
from .lane import Driver, Lane, Terms

_ERA = "server"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many connections there may be, and how many seconds things may take."""

    pool_size: int
    connect_timeout: float
    statement_timeout: float


class Server(Driver, Protocol):
    """One kind of server, and the place on it that is meant."""

    @property
    def kind(self) -> str:
        """What to name threads after."""

    @property
    def to_write(self) -> Terms:
        """The terms of changes."""

    @property
    def to_read(self) -> Terms:
        """The terms of looking at one state of the data."""

    @property
    def to_migrate(self) -> Terms:
        """The terms of a change of the schema, waiting for another's included."""

    def translated(self) -> AbstractContextManager[None]:
        """Errors that leave the block are those of the backend contract."""

    def inspect(self, connection: Connection) -> bool:
        """Whether the tables are there and up to date; raises if they cannot be used."""

    def migrate(self, connection: Connection) -> None:
        """Create the tables or bring them up to date, one instance at a time."""


class ServerConnections:
    """Runs work in transactions on a server.

    All commit as the server is set up to, history too: a server that crashes must not forget
    what this process, which lives on, would never write again.
    """

    def __init__(self, server: Server, pool_size: int) -> None:
        self._server = server
        readers = pool_size // 2
        self._writing = Lane(f"taskflow-{server.kind}-writer", pool_size - readers, server)
        self._reading = Lane(f"taskflow-{server.kind}-reader", readers, server)
        self._opened = False

    async def open(self) -> None:
        """Create or migrate the tables. Twice is once."""
        if self._opened:
            return
        self._writing.start()
        try:
            if not await self.write(self._server.inspect):
                with self._server.translated():
                    await self._writing.run(self._server.migrate, self._server.to_migrate)
                await self.write(self._server.inspect)
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
        with self._server.translated():
            return await self._writing.run(work, self._server.to_write)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do *work* on one state of the data."""
        with self._server.translated():
            return await self._reading.run(work, self._server.to_read)


class ServerClock:
    """Leases are counted by the server's wall clock; no host's clock is asked.

    Args:
        now: The query of its time, in microseconds since the Unix epoch.
    """

    def __init__(self, now: str) -> None:
        self._now = now

    def now(self, connection: Connection) -> int:
        """The server's time, in microseconds since the Unix epoch."""
        return int(connection.fetch(self._now)[0][0])

    def tick(self, connection: Connection) -> Tick:
        """The same: it is one clock for all who use the server."""
        return Tick(self.now(connection), _ERA)
