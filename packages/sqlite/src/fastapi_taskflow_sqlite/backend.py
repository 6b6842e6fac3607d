"""Tasks in a SQLite file."""

from __future__ import annotations

import os

from fastapi_taskflow_core.backends.base import Capabilities
from fastapi_taskflow_sql import BeatsOnly, SqlBackend, Statements

from .clock import HostClock
from .connection import SqliteConnections
from .dialect import SQLITE
from .location import Location
from .lock import HAS_FLOCK, FileLock, LockFiles, NoLock


class SqliteBackend(SqlBackend):
    """Storage in one file, for any number of processes of one host.

    Beside the file ``tasks.db`` stand ``tasks.db-wal`` and ``tasks.db-shm`` (SQLite's own),
    ``tasks.db.lock`` and the folder ``tasks.db.d``. All are created for their owner alone.

    Args:
        path: a path, ``sqlite:///relative``, ``sqlite:////absolute``, or ``:memory:`` for
            a database that is private to this object and gone when it is closed.
        busy_timeout: seconds to wait for a lock that another process holds.
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout: float = 5.0) -> None:
        self._place, self._busy_timeout = path, busy_timeout
        location = Location.parse(path)
        on_disk = location.file is not None
        shared = on_disk and HAS_FLOCK
        self._files = LockFiles(location.beside(".d")) if shared else None
        sql = Statements(SQLITE)
        lock = FileLock(location.beside(".lock")) if shared else NoLock()
        super().__init__(
            sql,
            SqliteConnections(location, sql, lock, busy_timeout),
            HostClock(),
            self._files or BeatsOnly(),
            Capabilities(survives_restart=on_disk, shared=on_disk),
        )

    def another(self) -> SqliteBackend:
        """A further backend for the same file, not open yet."""
        return SqliteBackend(self._place, busy_timeout=self._busy_timeout)

    async def close(self) -> None:
        """Let go of every connection and lock. Safe before ``open`` and twice."""
        await super().close()
        if self._files is not None:
            self._files.release_all()
