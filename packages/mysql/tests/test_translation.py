"""What the driver says, and what is made of it."""

from __future__ import annotations

import pymysql
import pytest

from fastapi_taskflow_core.errors import BackendError, BackendMisconfigured, BackendUnavailable
from fastapi_taskflow_mysql.translation import (
    TooLarge,
    from_driver,
    met_another,
    out_of_place,
    translated,
)

PASSING = [
    3,
    6,
    28,
    1040,
    1053,
    1203,
    1226,
    1205,
    1213,
    1290,
    1317,
    1792,
    1927,
    1969,
    2003,
    2006,
    2013,
    3024,
    4031,
]
ABOUT_DATA = [1048, 1153, 1264, 1366, 1406]
LASTING = [1044, 1045, 1049, 1142, 1146, 1227, 1064, 9999]


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (PASSING, BackendUnavailable),
        (ABOUT_DATA, BackendError),
        (LASTING, BackendMisconfigured),
    ],
)
def test_every_number_has_its_meaning(codes: list[int], kind: type[BackendError]) -> None:
    for code in codes:
        error = from_driver(pymysql.OperationalError(code, "so\nit is"), "mysql://h/d")
        assert type(error) is kind, code
        assert str(error).startswith("mysql://h/d: ")
        assert str(error).endswith("so it is")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (pymysql.InterfaceError(0, ""), BackendUnavailable),
        (pymysql.InterfaceError(), BackendUnavailable),
        (pymysql.DataError(1, "x"), BackendError),
        (pymysql.ProgrammingError("text alone"), BackendMisconfigured),
        (TimeoutError("the server does not answer"), BackendUnavailable),
        (ConnectionResetError(104, "reset"), BackendUnavailable),
        (TooLarge("x"), BackendError),
        (OverflowError("x"), BackendError),
    ],
)
def test_other_errors_have_theirs(error: Exception, kind: type[BackendError]) -> None:
    with pytest.raises(BackendError) as caught, translated("mysql://h/d"):
        raise error
    assert type(caught.value) is kind


def test_what_is_no_error_of_storage_is_left_alone() -> None:
    with pytest.raises(KeyError), translated("mysql://h/d"):
        raise KeyError("x")


def test_a_deadlock_is_tried_again_and_a_standby_left() -> None:
    assert met_another(pymysql.OperationalError(1213, "deadlock"))
    assert met_another(pymysql.OperationalError(1205, "lock wait"))
    assert not met_another(pymysql.OperationalError(1045, "denied"))
    assert out_of_place(pymysql.OperationalError(1290, "read only"))
    assert not out_of_place(ValueError())
