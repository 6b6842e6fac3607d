"""URLs and arguments, and that a password is never shown."""

from __future__ import annotations

import logging
import traceback

import pytest

from fastapi_taskflow_core.errors import BackendError
from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_redis.address import Address
from fastapi_taskflow_testkit.builders import a_task, put

SECRET = "hunter2"
URL = f"redis://ann:{SECRET}@127.0.0.1:1/3"


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_a_url_finds_the_backend(scheme: str) -> None:
    assert isinstance(backend_from_url(f"{scheme}://localhost"), RedisBackend)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (URL, "redis://ann@127.0.0.1:1/3"),
        ("rediss://host", "rediss://host"),
        (f"redis://:{SECRET}@host:6379?ssl_check_hostname=no", "redis://host:6379"),
        ("redis://a%40b:x%2Fy@host/0", "redis://a%40b@host/0"),
        (f"unix://:{SECRET}@/run/redis.sock?db=2", "unix:///run/redis.sock"),
    ],
)
def test_a_url_is_shown_without_password(url: str, shown: str) -> None:
    assert str(Address.parse(url, {})) == shown


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://host",
        f"redis://ann:{SECRET}/x@host:6379/0",
        f"redis://ann:1/{SECRET}@host:6379/0",
        f"redis://ann:1?{SECRET}@host",
        f"redis://ann:1#{SECRET}@host",
        f"redis://host/{SECRET}",
        f"redis://host:{SECRET}",
        f"redis://host?socket_timeout={SECRET}",
        "unix://",
    ],
)
def test_what_is_no_url_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="redis://user:password@host") as caught:
        RedisBackend(url)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prefix": ""}, "prefix"),
        ({"prefix": "a{b}"}, "prefix"),
        ({"pool_size": 0}, "pool_size"),
        ({"timeout": 0}, "timeout"),
        ({"ssl_ca_cert": "ca.pem"}, "ssl_ca_cert"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused_by_name(
    options: dict[str, object], said: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        RedisBackend("redis://localhost", **options)


async def test_the_password_is_in_no_error_log_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    backend = RedisBackend(URL, timeout=1)
    with pytest.raises(BackendError) as caught:
        await backend.open()
    with pytest.raises(BackendError) as closed:
        await put(backend, a_task())
    shown = [repr(backend), repr(Address.parse(URL, {})), caplog.text]
    for error in (caught.value, closed.value):
        shown += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    assert SECRET not in "".join(shown)
