"""PostgreSQL's errors as those of the backend contract, in one line each.

Details and hints of the server are left out: they may quote what a task was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from fastapi_taskflow_core.errors import BackendError, BackendMisconfigured, BackendUnavailable

# By SQLSTATE, or by its first two characters, the class.
_PASSING = frozenset({"08", "25", "40", "53", "55", "57", "58"})
_ABOUT_DATA = frozenset({"21", "22", "23", "54"})

# A refusal to connect comes without SQLSTATE. What is not known here may pass.
_LASTING = re.compile(
    r"authentication failed|no pg_hba\.conf entry|no password supplied|does not exist"
    r"|permission denied|not permitted to log in|no such (user|database)"
    r"|not support SSL|SSL off|certificate|sslmode|invalid .*(option|value)"
    r"|not currently accepting connections|unsupported (startup|frontend)"
    r"|requires a peer user name|requires a valid client",
    re.IGNORECASE,
)


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Errors that leave this block are those of the contract, and name the server."""
    try:
        yield
    except psycopg2.Error as error:
        raise _from_driver(error, where) from error
    except TimeoutError as error:
        raise BackendUnavailable(f"{where}: {error}") from error
    except (OverflowError, UnicodeError) as error:
        raise BackendError(f"{where}: a value cannot be stored: {error}") from error


@contextmanager
def translated_refusal(where: str) -> Iterator[None]:
    """The same for connecting; what the driver was told, the password, is in no traceback."""
    try:
        yield
    except psycopg2.Error as error:
        said = _line(str(error))
        kind = BackendMisconfigured if _LASTING.search(said) else BackendUnavailable
        raise kind(f"{where}: {said}") from None
    except TimeoutError as error:
        raise BackendUnavailable(f"{where}: {error}") from None


def _from_driver(error: psycopg2.Error, where: str) -> BackendError:
    code = error.pgcode
    if code is None:
        if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
            return BackendUnavailable(f"{where}: {_line(str(error))}")
        return BackendError(f"{where}: a value cannot be stored: {_line(str(error))}")
    said = f"{where}: {_line(error.diag.message_primary or code)}"
    if code[:2] in _PASSING:
        return BackendUnavailable(said)
    if code[:2] in _ABOUT_DATA:
        return BackendError(f"{where}: a value cannot be stored: {error.diag.message_primary}")
    return BackendMisconfigured(said)


def _line(text: str) -> str:
    return " ".join(text.split()) or "connection lost"
