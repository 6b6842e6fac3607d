"""The server's errors as those of the backend contract, in one line each."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
from pymysql.constants import CR, ER

from fastapi_taskflow_core.errors import BackendError, BackendMisconfigured, BackendUnavailable

_DEADLOCK = frozenset({ER.LOCK_DEADLOCK, ER.LOCK_WAIT_TIMEOUT})
_READ_ONLY = frozenset({ER.OPTION_PREVENTS_STATEMENT, 1792})
_STATEMENT_TIMEOUTS = frozenset({1969, 3024})  # MariaDB's and MySQL's
_PASSING = (
    _DEADLOCK
    | _READ_ONLY
    | _STATEMENT_TIMEOUTS
    | {
        CR.CR_SERVER_GONE_ERROR,
        CR.CR_SERVER_LOST,
        CR.CR_CONN_HOST_ERROR,
        CR.CR_CONNECTION_ERROR,
        ER.CON_COUNT_ERROR,
        ER.TOO_MANY_USER_CONNECTIONS,
        ER.USER_LIMIT_REACHED,
        ER.SERVER_SHUTDOWN,
        ER.NEW_ABORTING_CONNECTION,
        ER.ABORTING_CONNECTION,
        ER.DISK_FULL,
        ER.RECORD_FILE_FULL,
        ER.OUT_OF_RESOURCES,
        ER.OUTOFMEMORY,
        ER.QUERY_INTERRUPTED,
        1927,  # MariaDB: connection was killed
        4031,  # MySQL: disconnected by the server because of inactivity
    }
)
_TROUBLE_WITH_FILES = range(1, 1000)
"""The global errors of "Error Message Sources and Elements" in MySQL's manual: a server's folder
for temporary files that is full, or that somebody cleaned up.
"""
_ABOUT_DATA = frozenset(
    {
        ER.DATA_TOO_LONG,
        ER.WARN_DATA_OUT_OF_RANGE,
        ER.TRUNCATED_WRONG_VALUE_FOR_FIELD,
        ER.TRUNCATED_WRONG_VALUE,
        ER.NET_PACKET_TOO_LARGE,
        ER.BAD_NULL_ERROR,
    }
)
# What is to be made is there, or what is to be removed is not.
_WAS_DONE = frozenset(
    {
        ER.TABLE_EXISTS_ERROR,
        ER.BAD_TABLE_ERROR,
        ER.DUP_FIELDNAME,
        ER.DUP_KEYNAME,
        ER.CANT_DROP_FIELD_OR_KEY,
    }
)


class TooLarge(Exception):
    """A statement that the server would not take, as it was not sent."""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Errors that leave this block are those of the contract, and name the server."""
    try:
        yield
    except pymysql.Error as error:
        raise from_driver(error, where) from error
    except TimeoutError as error:
        raise BackendUnavailable(f"{where}: {error}") from error
    except OSError as error:
        raise BackendUnavailable(f"{where}: {_line(str(error))}") from error
    except (TooLarge, OverflowError, UnicodeError) as error:
        raise BackendError(f"{where}: a value cannot be stored: {error}") from error


def met_another(error: BaseException) -> bool:
    """Whether the transaction failed because of another one."""
    return isinstance(error, pymysql.Error) and code_of(error) in _DEADLOCK


def out_of_place(error: BaseException) -> bool:
    """Whether the server only reads by now: a new connection may find its successor."""
    return isinstance(error, pymysql.Error) and code_of(error) in _READ_ONLY


def was_done(error: Exception) -> bool:
    """Whether a change of the schema was refused because it had been made before."""
    return isinstance(error, pymysql.Error) and code_of(error) in _WAS_DONE


def code_of(error: pymysql.Error) -> int:
    """The error's number, 0 if it has none."""
    code = error.args[0] if error.args else 0
    return code if isinstance(code, int) else 0


def from_driver(error: pymysql.Error, where: str) -> BackendError:
    """The error of the contract for one of the driver."""
    code = code_of(error)
    said = _line(str(error.args[1] if len(error.args) > 1 else error))
    if code in _ABOUT_DATA or isinstance(error, pymysql.DataError):
        return BackendError(f"{where}: a value cannot be stored: {said}")
    passing = code in _PASSING or code in _TROUBLE_WITH_FILES
    # As PyMySQL has it the server cannot be reached, but a certificate does not heal by itself.
    if isinstance(getattr(error, "original_exception", None), ssl.SSLCertVerificationError):
        return BackendMisconfigured(f"{where}: {said}")
    if passing or isinstance(error, pymysql.InterfaceError):
        return BackendUnavailable(f"{where}: {said}")
    return BackendMisconfigured(f"{where}: {said}")


def _line(text: str) -> str:
    return " ".join(text.split()) or "connection lost"
