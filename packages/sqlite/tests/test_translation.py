"""Which errors are worth another try."""

from __future__ import annotations

import errno
import sqlite3

import pytest

from fastapi_taskflow_core.errors import BackendError, BackendMisconfigured, BackendUnavailable
from fastapi_taskflow_sqlite.translation import translated


def failure(code: int) -> sqlite3.Error:
    """The error that SQLite raises with this code."""
    error = sqlite3.OperationalError("it failed")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (failure(sqlite3.SQLITE_BUSY), BackendUnavailable),
        (failure(sqlite3.SQLITE_BUSY_SNAPSHOT), BackendUnavailable),
        (failure(sqlite3.SQLITE_FULL), BackendUnavailable),
        (failure(sqlite3.SQLITE_IOERR_FSYNC), BackendUnavailable),
        (failure(sqlite3.SQLITE_CORRUPT), BackendMisconfigured),
        (failure(sqlite3.SQLITE_NOTADB), BackendMisconfigured),
        (failure(sqlite3.SQLITE_READONLY), BackendMisconfigured),
        (failure(sqlite3.SQLITE_CONSTRAINT_NOTNULL), BackendError),
        (sqlite3.InterfaceError("bad parameter"), BackendError),
        (OverflowError("too large"), BackendError),
        (OSError(errno.ENOSPC, "no space"), BackendUnavailable),
        (OSError(errno.EROFS, "read-only"), BackendMisconfigured),
    ],
)
def test_an_error_becomes_one_of_the_contract_that_names_the_file(
    error: Exception, expected: type[BackendError]
) -> None:
    with pytest.raises(BackendError, match="tasks.db") as caught, translated("tasks.db"):
        raise error
    assert type(caught.value) is expected


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), translated("tasks.db"):
        raise KeyError
