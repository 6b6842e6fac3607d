"""Tasks in a SQLite file."""

from __future__ import annotations

import os

from fastapi_taskflow_core import checks
from fastapi_taskflow_core.backends.base import Capabilities
from fastapi_taskflow_core.backends.presence import BeatsOnly, Presence, presence_in
from fastapi_taskflow_sql import SqlBackend, Statements

from .clock import HostClock
from .connection import SqliteConnections
from .dialect import SQLITE
from .location import Location
from .lock import HAS_FLOCK, FileLock, Lock, ThreadLock

# Databases in memory share one lock: they are for tests, and there is no file to lock.
_IN_PROCESS = ThreadLock()


class SqliteBackend(SqlBackend):
    """Storage in one file, for any number of processes of one host.

    Beside the file ``tasks.db`` stand ``tasks.db-wal`` and ``tasks.db-shm`` (SQLite's own),
    ``tasks.db.lock`` and the folder ``tasks.db.d``. All are created for their owner alone.

    Args:
        path: A path, ``sqlite:///relative``, ``sqlite:////absolute``, or ``:memory:`` for
            a database that is private to this object, gone when it is closed.
        busy_timeout: Seconds to wait for a lock that another process holds.

    Raises:
        ValueError: an argument makes no sense.
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout: float = 5.0) -> None:
        self._location = Location.parse(path)
        self._busy_timeout = checks.seconds("busy_timeout", busy_timeout)
        on_disk = self._location.file is not None
        lock: Lock = _IN_PROCESS
        presence: Presence = BeatsOnly()
        if on_disk and HAS_FLOCK:
            lock = FileLock(self._location.beside(".lock"))
            presence = presence_in(self._location.beside(".d"))
        sql = Statements(SQLITE)
        super().__init__(
            sql,
            SqliteConnections(self._location, sql, lock, self._busy_timeout),
            HostClock(),
            presence,
            Capabilities(survives_restart=on_disk, shared=on_disk),
        )

    def another(self) -> SqliteBackend:
        """A further backend for the same data, not open yet."""
        return SqliteBackend(self._location, busy_timeout=self._busy_timeout)
