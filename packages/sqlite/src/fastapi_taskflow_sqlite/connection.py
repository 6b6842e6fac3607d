"""Connections to one SQLite file: one that writes, a few that read."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import TypeVar

from fastapi_taskflow_core.errors import BackendMisconfigured, BackendUnavailable
from fastapi_taskflow_sql import Connection, Statements, Threads, migrate, refuse_newer
from fastapi_taskflow_sql.connection import Row, Value

from .integrity import refuse_damaged
from .location import Location
from .lock import Lock
from .translation import translated
from .wal import WriteAheadLog

_OLDEST = (3, 35, 0)
_READERS = 2
T = TypeVar("T")


class Session:
    """A `sqlite3.Connection` as the shared part wants it."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run a statement; how many rows it changed."""
        return self._driver.execute(sql, parameters).rowcount

    def fetch(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query. Damaged text comes with a mark where it cannot be read."""
        try:
            return self._driver.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if "decode to UTF-8" not in str(error):
                raise
            self._driver.text_factory = _as_far_as_it_goes
            try:
                return self._driver.execute(sql, parameters).fetchall()
            finally:
                self._driver.text_factory = str


class SqliteConnections:
    """Runs work on threads of its own: one for the writer, others for readers.

    The writer alone commits and checkpoints, behind a lock that it shares with other
    processes; it is closed last. A database in memory has only the writer.
    """

    def __init__(
        self, location: Location, sql: Statements, lock: Lock, busy_timeout: float
    ) -> None:
        self._location = location
        self._name = os.fspath(location)
        self._sql = sql
        self._lock = lock
        self._timeout = busy_timeout
        self._writing = Threads("taskflow-sqlite-writer")
        self._reading = Threads("taskflow-sqlite-reader", _READERS)
        self._writer: sqlite3.Connection | None = None
        self._readers: deque[sqlite3.Connection] = deque()
        self._durable: bool | None = None
        self._inode = 0
        self._log = WriteAheadLog(None if location.file is None else location.beside("-wal"))

    async def open(self) -> None:
        """Create or migrate the file. Twice is once."""
        self._writing.start()
        try:
            await self._writing.run(self._open)
        except Exception:  # who was cancelled can still close what opens behind its back
            self._writing.stop()
            raise
        self._reading.start()

    async def close(self) -> None:
        """Close every connection, the writer last."""
        self._reading.stop()
        try:
            with suppress(BackendUnavailable):
                await self._writing.run(self._close)
        finally:
            self._writing.stop()

    async def write(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        """Do *work* in one transaction."""
        return await self._writing.run(partial(self._write, work, durable))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do *work* on one state of the data."""
        if self._location.file is None:
            return await self._writing.run(partial(self._write, work, durable=False))
        return await self._reading.run(partial(self._read, work))

    def _open(self) -> None:
        if self._writer is not None:
            return
        if sqlite3.sqlite_version_info < _OLDEST:
            raise BackendMisconfigured(
                f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed"
            )
        with translated(self._name):
            self._create_file()
            writer = self._connect("rw")
            try:
                self._prepare(writer)
            except BaseException:
                writer.close()
                raise
            self._writer = writer

    def _create_file(self) -> None:
        file = self._location.file
        if file is None:
            return
        if file.is_dir():
            raise BackendMisconfigured(f"{self._name} is a folder, not a file")
        # Only if it is new: to close any descriptor of a file drops all POSIX locks that the
        # process has on it, those of SQLite connections too, and SQLite relies on them.
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._inode = file.stat().st_ino
        if size := file.stat().st_size:
            # Such a connection leaves no trace, not even on a file that is refused.
            with closing(self._connect("ro")) as reader:
                refuse_newer(self._sql, Session(reader), self._name)
                refuse_damaged(reader, size, self._name)

    def _connect(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(
            self._location.uri(mode),
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )

    def _prepare(self, writer: sqlite3.Connection) -> None:
        self._acquire()
        try:
            mode = writer.execute("PRAGMA journal_mode = wal").fetchone()[0]
            if self._location.file is not None and mode != "wal":
                raise BackendMisconfigured(
                    f"{self._name}: SQLite keeps journal_mode={mode} here instead of"
                    " wal: put the file on a local disk, network file systems cannot do it"
                )
            self._log.limit(writer)
            self._durable = None
            self._transact(writer, self._migrate, durable=True)
        finally:
            self._lock.release()

    def _migrate(self, connection: Connection) -> None:
        migrate(self._sql, connection, self._name)

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        with translated(self._name):
            self._close_readers()
            locked = False
            with suppress(OSError):  # the folder is gone
                # Closing checkpoints, which must not meet a commit of another process.
                locked = self._lock.acquire(self._timeout)
            try:
                writer.close()
            finally:
                if locked:
                    self._lock.release()
                self._lock.close()

    def _close_readers(self) -> None:
        with suppress(IndexError):
            while True:
                self._readers.pop().close()

    def _write(self, work: Callable[[Connection], T], durable: bool) -> T:
        writer = self._writer
        if writer is None:
            raise BackendUnavailable(f"{self._name} is not open")
        with translated(self._name):
            self._check_file()
            self._acquire()
            try:
                result = self._transact(writer, work, durable)
            finally:
                self._lock.release()
            self._log.written()
            return result

    def _transact(
        self, writer: sqlite3.Connection, work: Callable[[Connection], T], durable: bool
    ) -> T:
        if durable != self._durable:
            writer.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        writer.execute("BEGIN IMMEDIATE")
        try:
            result = work(Session(writer))
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise
        return result

    def _read(self, work: Callable[[Connection], T]) -> T:
        with translated(self._name):
            reader = self._reader()
            try:
                reader.execute("BEGIN")
                result = work(Session(reader))
                reader.execute("COMMIT")
            except BaseException:
                reader.close()
                raise
            self._readers.append(reader)
            if self._writer is None:  # closed meanwhile
                self._close_readers()
            return result

    def _reader(self) -> sqlite3.Connection:
        with suppress(IndexError):
            return self._readers.pop()
        reader = self._connect("ro")
        reader.execute("PRAGMA query_only = on")
        return reader

    def _acquire(self) -> None:
        if not self._lock.acquire(self._timeout):
            raise BackendUnavailable(
                f"{self._name} is locked by another process for {self._timeout:g} s"
            )

    def _check_file(self) -> None:
        """Without this, a file that was deleted would take our writes and show them nobody."""
        file = self._location.file
        if file is not None and file.stat().st_ino != self._inode:
            raise BackendMisconfigured(f"{self._name} was replaced by another file")


def _as_far_as_it_goes(stored: bytes) -> str:
    return stored.decode("utf-8", "replace")
