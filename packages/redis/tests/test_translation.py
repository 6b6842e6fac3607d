"""Which errors are worth another try."""

from __future__ import annotations

import ssl

import pytest
from redis import exceptions

from fastapi_taskflow_core.errors import BackendError, BackendMisconfigured, BackendUnavailable
from fastapi_taskflow_redis.translation import translated

NESTED = "Error running script (call to f_1): @user_script:5: -{} some more"


def caused_by(cause: Exception) -> Exception:
    """What redis-py makes of an error while it connects."""
    error = exceptions.ConnectionError("Error 1 connecting to host:6379.")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exceptions.ConnectionError("Connection closed by server."), BackendUnavailable),
        (exceptions.TimeoutError("Timeout reading from host"), BackendUnavailable),
        (exceptions.BusyLoadingError("Redis is loading the dataset"), BackendUnavailable),
        (exceptions.ReadOnlyError("You can't write against a replica."), BackendUnavailable),
        (exceptions.OutOfMemoryError("command not allowed"), BackendUnavailable),
        (exceptions.ResponseError(NESTED.format("OOM")), BackendUnavailable),
        (exceptions.ResponseError(NESTED.format("READONLY")), BackendUnavailable),
        (exceptions.ResponseError("BUSY Redis is busy running a script"), BackendUnavailable),
        (exceptions.ResponseError("MISCONF Errors writing to the AOF"), BackendUnavailable),
        (exceptions.ResponseError("MASTERDOWN Link is down"), BackendUnavailable),
        (TimeoutError(), BackendUnavailable),
        (ConnectionResetError("reset"), BackendUnavailable),
        (caused_by(ConnectionRefusedError("refused")), BackendUnavailable),
        (caused_by(ssl.SSLCertVerificationError("self-signed")), BackendMisconfigured),
        (caused_by(FileNotFoundError("ca.pem")), BackendMisconfigured),
        (exceptions.AuthenticationError("invalid username-password pair"), BackendMisconfigured),
        (exceptions.NoPermissionError("no permissions to run it"), BackendMisconfigured),
        (exceptions.ResponseError(NESTED.format("NOPERM")), BackendMisconfigured),
        (exceptions.ResponseError("DB index is out of range"), BackendMisconfigured),
        (exceptions.ResponseError("WAITAOF cannot be used"), BackendMisconfigured),
        (exceptions.MovedError("1 10.0.0.2:6379"), BackendMisconfigured),
        (exceptions.DataError("Invalid input"), BackendError),
        (exceptions.ResponseError("string exceeds maximum allowed size"), BackendError),
    ],
)
def test_an_error_becomes_one_of_the_contract_in_one_line_that_names_the_server(
    error: Exception, expected: type[BackendError]
) -> None:
    with pytest.raises(BackendError) as caught, translated("redis://host", 5.0):
        raise error
    assert type(caught.value) is expected
    assert str(caught.value).startswith("redis://host: ")
    assert "\n" not in str(caught.value)


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), translated("redis://host", 5.0):
        raise KeyError
