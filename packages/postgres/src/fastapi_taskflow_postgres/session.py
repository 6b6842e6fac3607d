"""One connection to a server, every wait of which has an end.

psycopg2 waits without limit for a server that is frozen or cut off, so its connections are
used in their asynchronous mode, on a thread that waits for the socket up to a deadline.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Sequence
from typing import Any, TypeAlias

import psycopg2
from psycopg2.extensions import (
    POLL_OK,
    POLL_READ,
    TRANSACTION_STATUS_IDLE,
    connection,
    cursor,
)

from fastapi_taskflow_core.errors import BackendMisconfigured
from fastapi_taskflow_sql.connection import Row, Value

from .address import Address
from .text import plain, spelled
from .translation import translated_refusal

_Deadline: TypeAlias = float
"""A moment of the monotonic clock, in seconds."""


class PostgresSession:
    """A connection as the shared part wants it, for one thread at a time.

    What begins a transaction travels with its first statement.
    """

    def __init__(self, address: Address, deadline: _Deadline) -> None:
        """Connect until the deadline.

        Raises:
            BackendUnavailable: the server is not there, or does not answer in time.
            BackendMisconfigured: the server refuses us, or holds text in another encoding.
        """
        self._deadline = deadline
        self._beginning = ""
        with translated_refusal(address.name):
            self._driver: connection = psycopg2.connect(**address.options, async_=True)
            self._wait()
        encoding = self._driver.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            self.close()
            raise BackendMisconfigured(
                f"{address}: the database holds text as {encoding}: it must be UTF8"
            )

    @property
    def usable(self) -> bool:
        """Whether the connection is there and rests between two transactions."""
        driver = self._driver
        if driver.closed or driver.info.transaction_status != TRANSACTION_STATUS_IDLE:
            return False
        # Nothing was asked, so what the server has to say is that it goes away.
        return not _ready(driver, selectors.EVENT_READ, 0)

    def fileno(self) -> int:
        """The socket, for who waits for notifications."""
        return int(self._driver.fileno())

    def notified(self) -> bool:
        """Whether there were notifications since the last time. Does not wait."""
        self._driver.poll()
        some = bool(self._driver.notifies)
        self._driver.notifies.clear()
        return some

    def begin(self, statement: str, deadline: _Deadline) -> None:
        """Be in a transaction from the next statement on; *statement* begins it."""
        self._beginning, self._deadline = statement, deadline

    def commit(self) -> None:
        """End the transaction, if there was a statement in it."""
        if not self._beginning:
            self._run("COMMIT")

    def roll_back(self) -> None:
        """Undo the transaction, if there was a statement in it."""
        if not self._beginning and not self._driver.closed:
            self._run("ROLLBACK")

    def close(self) -> None:
        """Let go of the connection. Twice is once."""
        self._driver.close()

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run a statement; how many rows it changed."""
        return self._run(sql, parameters).rowcount

    def fetch(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query."""
        found = self._run(sql, parameters).fetchall()
        return [tuple(map(_from_driver, row)) for row in found]

    def _run(self, sql: str, parameters: Sequence[Value] = ()) -> cursor:
        statement = self._driver.cursor()
        beginning, self._beginning = self._beginning, ""
        statement.execute(beginning + sql, [*map(_to_driver, parameters)])
        self._wait()
        return statement

    def _wait(self) -> None:
        while (state := self._driver.poll()) != POLL_OK:
            event = selectors.EVENT_READ if state == POLL_READ else selectors.EVENT_WRITE
            if not _ready(self._driver, event, self._deadline - time.monotonic()):
                self.close()
                raise TimeoutError("the server does not answer")


def _ready(driver: connection, event: int, seconds: float) -> bool:
    """Whether the socket is ready within so many seconds."""
    with selectors.DefaultSelector() as selector:
        selector.register(driver.fileno(), event)
        return bool(selector.select(max(0, seconds)))


def _to_driver(value: Value) -> Value:
    return spelled(value) if isinstance(value, str) else value


def _from_driver(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    return bytes(value) if isinstance(value, memoryview) else value
