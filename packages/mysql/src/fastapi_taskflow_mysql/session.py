"""One connection to a server. Every wait for it has an end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor

from fastapi_taskflow_core.errors import BackendMisconfigured
from fastapi_taskflow_sql.connection import Row, Value

from .address import FILES, Address
from .translation import TooLarge, from_driver

_SESSION = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;"
    "SET SESSION time_zone = '+00:00', autocommit = 1,"
    " sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE',"
    " innodb_lock_wait_timeout = {wait}"
)
_ABOUT = "SELECT @@max_allowed_packet, VERSION()"
_ROOM = 1024
"""Bytes of a packet that are not the statement's."""
_OLDEST = {"MariaDB": (10, 6), "MySQL": (8, 0)}
IDLE = 5.0
"""Seconds without an answer after which a connection is looked at before it is used."""


class MySQLSession:
    """A connection as the shared part wants it, for one thread at a time.

    What begins a transaction travels with its first statement.
    """

    def __init__(self, address: Address, deadline: float, patience: float) -> None:
        """Connect until the deadline.

        Args:
            address: Where.
            deadline: A moment of the monotonic clock, in seconds.
            patience: Seconds to wait for any single answer from then on.

        Raises:
            BackendUnavailable: the server is not there, or does not answer in time.
            BackendMisconfigured: the server refuses us, or is too old.
        """
        self._deadline = deadline
        self._beginning = ""
        self._in_transaction = False
        self._answered = time.monotonic()
        left = max(0.1, deadline - time.monotonic())
        try:
            self._driver: pymysql.Connection[Cursor] = pymysql.connect(
                **address.options,
                charset="utf8mb4",
                connect_timeout=max(1, int(left)),
                read_timeout=patience,
                write_timeout=patience,
                # An update that changes nothing has found its row all the same.
                client_flag=CLIENT.FOUND_ROWS | CLIENT.MULTI_STATEMENTS,
                program_name="fastapi-taskflow",
            )
        except pymysql.Error as error:
            # What the driver was told, the password, is in no traceback.
            raise from_driver(error, address.name) from None
        except OSError as error:  # a file that an option names; those of the network are above
            said = f"{error.strerror}: {_named(address)}"
            raise BackendMisconfigured(f"{address}: {said}") from None
        except RuntimeError as error:  # a login that needs a package which is not there
            raise BackendMisconfigured(f"{address}: {error}") from None
        self._begin_session(address, patience)

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB rather than MySQL."""
        return self._kind == "MariaDB"

    @property
    def usable(self) -> bool:
        """Whether the connection is there and rests between two transactions."""
        if not self._driver.open or self._in_transaction:
            return False
        return time.monotonic() - self._answered < IDLE or self._is_there()

    def begin(self, statement: str, deadline: float) -> None:
        """Be in a transaction from the next statement on; *statement* begins it."""
        self._beginning, self._deadline = statement, deadline

    def commit(self) -> None:
        """End the transaction, if there was a statement in it."""
        if self._in_transaction:
            self._run("COMMIT")
            self._in_transaction = False

    def roll_back(self) -> None:
        """Undo the transaction, if there was a statement in it."""
        if self._in_transaction and self._driver.open:
            self._driver.rollback()
            self._in_transaction = False

    def _is_there(self) -> bool:
        """Ask the server, which ends connections that have long been idle."""
        try:
            self._driver.ping(reconnect=False)
        except (pymysql.Error, OSError):
            self.close()
            return False
        self._answered = time.monotonic()
        return True

    def close(self) -> None:
        """Let go of the connection. Twice is once."""
        if self._driver.open:
            self._driver.close()

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run a statement; how many rows it changed."""
        cursor = self._run(sql, parameters)
        # The number that our inserts set where a row was there already; see `dialect`.
        return 0 if cursor.lastrowid else cursor.rowcount

    def fetch(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query."""
        return list(self._run(sql, parameters).fetchall())

    def _run(self, sql: str, parameters: Sequence[Value] = ()) -> Cursor:
        cursor = self._driver.cursor()
        statement = cursor.mogrify(sql, list(parameters))
        if time.monotonic() > self._deadline:
            raise TimeoutError("the server does not answer")
        beginning, self._beginning = self._beginning, ""
        if len(statement) * 4 > self._packet - _ROOM:
            self._see_that_it_fits(statement)
        try:
            self._in_transaction = self._in_transaction or bool(beginning)
            cursor.execute(beginning + statement)
            while cursor.nextset():
                pass
            self._answered = time.monotonic()
        except pymysql.OperationalError as error:
            if error.args[:1] == (2013,) and time.monotonic() > self._deadline:
                raise TimeoutError("the server does not answer") from error
            raise
        return cursor

    def _see_that_it_fits(self, statement: str) -> None:
        size = len(statement.encode("utf-8", "surrogateescape"))
        if size > self._packet - _ROOM:
            raise TooLarge(
                f"a statement of {size:,} bytes, where the server's max_allowed_packet is"
                f" {self._packet:,}"
            )

    def _begin_session(self, address: Address, patience: float) -> None:
        self._packet = 1 << 20
        self._kind = "MySQL"
        try:
            self._run(_SESSION.format(wait=max(1, int(patience))))
            ((packet, version),) = self.fetch(_ABOUT)
        except pymysql.Error as error:
            self.close()
            raise from_driver(error, address.name) from None
        self._packet = int(packet)
        self._kind = "MariaDB" if "mariadb" in version.lower() else "MySQL"
        if _numbers(version) < _OLDEST[self._kind]:
            self.close()
            oldest = ".".join(map(str, _OLDEST[self._kind]))
            raise BackendMisconfigured(
                f"{address}: {self._kind} {version} is too old, {oldest} is needed"
            )


def _named(address: Address) -> str:
    """The files that a connection needs."""
    return ", ".join(str(address.options[name]) for name in FILES if name in address.options)


def _numbers(version: str) -> tuple[int, ...]:
    words: list[Any] = version.split("-", maxsplit=1)[0].split(".")[:2]
    return tuple(int(word) for word in words if word.isdigit())
