"""Servers that are killed and frozen, and many processes at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres_tools import run

from fastapi_taskflow_postgres import PostgresBackend
from fastapi_taskflow_testkit.outages import *  # noqa: F403  the suite is the point
from fastapi_taskflow_testkit.outages import Connect


@pytest.fixture
def connect() -> Connect:
    """Makes a backend that gives up after so many seconds."""
    return lambda url, seconds: PostgresBackend(
        url, connect_timeout=seconds, statement_timeout=seconds
    )


@pytest.fixture
def place(url: str, schema: str) -> Iterator[str]:
    """A schema, named by an option of the URL."""
    run(url, f"CREATE SCHEMA {schema}")
    yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
