"""SQLite's errors and the operating system's, as those of the backend contract."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi_taskflow_core.errors import BackendError, BackendMisconfigured, BackendUnavailable

from .integrity import damaged

_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_SCHEMA,
    }
)
_ABOUT_DATA = frozenset({sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_LASTING = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ELOOP,
    }
)


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Errors that leave this block are those of the contract, and name *path*."""
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(error, path) from error
    except OSError as error:
        kind = BackendMisconfigured if error.errno in _LASTING else BackendUnavailable
        raise kind(f"{path}: {error.strerror or error}") from error
    except (OverflowError, UnicodeError) as error:
        raise BackendError(f"{path}: a value cannot be stored: {error}") from error


def _from_sqlite(error: sqlite3.Error, path: str) -> BackendError:
    # Errors of the Python module itself, about what it was given, have no code.
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary is None or primary in _ABOUT_DATA:
        return BackendError(f"{path}: a value cannot be stored: {error}")
    if primary in _PASSING:
        return BackendUnavailable(f"{path}: {error}")
    if primary in _DAMAGED:
        return damaged(path, error)
    return BackendMisconfigured(f"{path}: {error}")
