"""Servers that are killed and frozen, and many processes at once."""

from __future__ import annotations

import pytest

from fastapi_taskflow_mysql import MySQLBackend
from fastapi_taskflow_testkit.outages import *  # noqa: F403  the suite is the point
from fastapi_taskflow_testkit.outages import Connect


@pytest.fixture
def connect() -> Connect:
    """Makes a backend that gives up after so many seconds."""
    return lambda url, seconds: MySQLBackend(
        url, connect_timeout=seconds, statement_timeout=seconds
    )


@pytest.fixture
def place(url: str) -> str:
    """A database of the test's own."""
    return url
