"""URLs: what they say, and that none of them shows a password."""

from __future__ import annotations

import traceback

import pytest

from fastapi_taskflow_mysql import MySQLBackend
from fastapi_taskflow_mysql.address import Address


def test_a_url_is_read() -> None:
    address = Address.parse("mysql://ann:p%40ss@db.example:3307/shop?ssl_ca=ca.pem")
    assert address.options == {
        "host": "db.example",
        "port": 3307,
        "user": "ann",
        "password": "p@ss",
        "database": "shop",
        "ssl_ca": "ca.pem",
        "ssl_verify_cert": True,
    }
    assert str(address) == "mysql://ann@db.example:3307/shop"


def test_the_port_and_the_user_may_be_left_out() -> None:
    address = Address.parse("mariadb://localhost/shop")
    assert (address.options["port"], address.options["user"]) == (3306, "")
    assert str(address) == "mysql://localhost/shop"


@pytest.mark.parametrize("value", ["true", "1", "TRUE"])
def test_flags_of_tls_are_flags(value: str) -> None:
    options = Address.parse(f"mysql://h/d?ssl_verify_cert={value}&ssl_disabled=0").options
    assert (options["ssl_verify_cert"], options["ssl_disabled"]) == (True, False)


def test_whoever_names_an_authority_and_says_so_does_not_ask_it() -> None:
    options = Address.parse("mysql://h/d?ssl_ca=ca.pem&ssl_verify_cert=false").options
    assert options["ssl_verify_cert"] is False


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host",
        "postgresql://user:p4ss@host/db",
        "mysql://user:p4ss@host",
        "mysql://user:p4ss@host/",
        "mysql://user:p4ss@host/a/b",
        "mysql://user:p4ss@host:p4ss/db",
        "mysql://user:p4@ss/p4ss@host/db",
        "mysql://user:p4ss@[host/db",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="'mysql://user:password@host") as caught:
        MySQLBackend(url)
    assert "p4ss" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("charset=latin1", "'charset' is no option"),
        ("ssl_disabled=maybe", "must be true or false"),
        ("ssl_verify_identity=true", "needs ssl_ca"),
    ],
)
def test_an_option_that_is_not_known_or_makes_no_sense_is_named(option: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MySQLBackend(f"mysql://u:p4ss@h/d?{option}")


def test_nothing_shows_the_password() -> None:
    backend = MySQLBackend("mysql://u:p4ss@h/d")
    assert "p4ss" not in repr(backend) + repr(backend.another()) + repr(vars(backend))
