"""Redis' errors as those of the backend contract, in one line each.

What the client was told, the password above all, is in none of them.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions

from fastapi_taskflow_core.errors import BackendError, BackendMisconfigured, BackendUnavailable

# Inside of scripts older servers put the code somewhere into the sentence.
_PASSING = re.compile(
    r"\b(LOADING|READONLY|OOM|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|UNBLOCKED"
    r"|UNKILLABLE|max number of clients)\b"
)
_REFUSED = re.compile(r"\b(NOPERM|NOAUTH|WRONGPASS|ACL failure|no permissions)\b")
_TOO_LARGE = re.compile(r"exceeds maximum allowed size|string is longer|invalid bulk length")
_AWAY = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
)
_BAD_LOGIN = (
    exceptions.AuthenticationError,
    exceptions.AuthenticationWrongNumberOfArgsError,
    exceptions.AuthorizationError,
    exceptions.NoPermissionError,
)


@contextmanager
def translated(where: str, patience: float) -> Iterator[None]:
    """Errors that leave this block are those of the contract, and name the server.

    A `TimeoutError` was raised after *patience* seconds.
    """
    try:
        yield
    except exceptions.RedisError as error:
        # Not chained: redis-py's own errors may hold what it was told in their frames.
        raise _from_client(error, where) from None
    except TimeoutError:
        raise BackendUnavailable(f"{where}: no answer within {patience:g} s") from None
    except OSError as error:
        raise _lost(error, where) from None


def _from_client(error: exceptions.RedisError, where: str) -> BackendError:
    said = f"{where}: {_line(error)}"
    if isinstance(error, _BAD_LOGIN):
        return BackendMisconfigured(said)
    if isinstance(error, exceptions.AskError):
        return BackendMisconfigured(
            f"{where}: these keys are on another node of the cluster:"
            f" name {error.host}:{error.port} in the URL"
        )
    if isinstance(error, _AWAY):
        return _lost(error, where)
    if isinstance(error, exceptions.DataError) or _TOO_LARGE.search(said):
        return BackendError(f"{where}: a value cannot be stored: {_line(error)}")
    if _PASSING.search(said) and not _REFUSED.search(said):
        return BackendUnavailable(said)
    return BackendMisconfigured(said)


def _lost(error: Exception, where: str) -> BackendError:
    said = f"{where}: {_line(error)}"
    cause = error.__cause__ or error.__context__
    for each in (error, cause):
        # Neither a certificate that is not trusted nor a file that is not there heals by itself.
        if isinstance(each, ssl.SSLCertVerificationError | FileNotFoundError | PermissionError):
            return BackendMisconfigured(said)
    return BackendUnavailable(said)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or "connection lost"
