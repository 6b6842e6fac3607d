"""What the shared part asks of a database driver.

Work is a plain function of a connection. It runs from start to end on a thread of the
driver's choice, so one operation costs the event loop a single hop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

Value = str | int | float | bytes | None
Row = tuple[Any, ...]
T = TypeVar("T")


class Connection(Protocol):
    """One connection, used by one thread at a time, in the middle of a transaction."""

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run a statement; how many rows it changed."""

    def fetch(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query."""


class Connections(Protocol):
    """Where connections come from. Errors leave here as those of the backend contract."""

    async def open(self) -> None:
        """Connect, and bring the schema up to date. Twice is once."""

    async def close(self) -> None:
        """Let go of every connection. Safe before ``open`` and twice."""

    async def write(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        """Do *work* in one transaction: all of it or, if it raises, nothing."""

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do *work*, which only reads, on one state of the data."""


class Tick(NamedTuple):
    """A moment of the lease clock, in microseconds; moments of two eras do not compare."""

    moment: int
    era: str


class Clock(Protocol):
    """The store's own time."""

    def now(self, connection: Connection) -> int:
        """The wall clock, in microseconds since the Unix epoch."""

    def tick(self, connection: Connection) -> Tick:
        """The clock that leases are counted by."""


class Contended(Exception):
    """Rows were not as this transaction expected: it is undone and tried with a closer look."""
