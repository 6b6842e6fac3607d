"""Which errors are worth another try."""

from __future__ import annotations

import psycopg2
import pytest
from postgres_tools import run

from fastapi_taskflow_core.errors import BackendError, BackendMisconfigured, BackendUnavailable
from fastapi_taskflow_postgres.translation import translated


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("08006", BackendUnavailable),
        ("25006", BackendUnavailable),
        ("40001", BackendUnavailable),
        ("40P01", BackendUnavailable),
        ("53100", BackendUnavailable),
        ("53300", BackendUnavailable),
        ("55P03", BackendUnavailable),
        ("57014", BackendUnavailable),
        ("57P01", BackendUnavailable),
        ("58030", BackendUnavailable),
        ("42501", BackendMisconfigured),
        ("42P01", BackendMisconfigured),
        ("3F000", BackendMisconfigured),
        ("XX001", BackendMisconfigured),
        ("22003", BackendError),
        ("23502", BackendError),
    ],
)
def test_an_error_of_the_server_becomes_one_of_the_contract_that_names_it(
    url: str, code: str, expected: type[BackendError]
) -> None:
    failing = f"DO $$ BEGIN RAISE 'it failed' USING ERRCODE = '{code}', DETAIL = 'secret'; END $$"
    with pytest.raises(BackendError, match="^the server: .*it failed$") as caught:  # noqa: PT012
        with translated("the server"):
            run(url, failing)
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg2.OperationalError("server closed\nthe connection"), BackendUnavailable),
        (psycopg2.InterfaceError("connection already closed"), BackendUnavailable),
        (psycopg2.ProgrammingError("can't adapt type 'object'"), BackendError),
        (TimeoutError("the server does not answer"), BackendUnavailable),
        (OverflowError("too large"), BackendError),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), BackendError),
    ],
)
def test_an_error_of_the_driver_becomes_one_of_the_contract(
    error: Exception, expected: type[BackendError]
) -> None:
    with pytest.raises(BackendError, match="^the server: .*$") as caught, translated("the server"):
        raise error
    assert type(caught.value) is expected


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), translated("the server"):
        raise KeyError
