"""A server, and a database of its own in it for each test."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from mysql_tools import database_of, private_server, run

from fastapi_taskflow_mysql import MySQLBackend
from fastapi_taskflow_sql.schema import META, TABLES
from fastapi_taskflow_testkit.patience import opened
from fastapi_taskflow_testkit.servers import (
    MYSQL_STANDARD,
    MySQLRecipe,
    PrivateServer,
    mysql_answers,
    mysql_program,
    server_url,
)

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A server to test with: the URL of one of its databases."""
    with server_url("mysql", MYSQL_STANDARD, mysql_answers, MySQLRecipe(), mysql_program()) as url:
        yield url


@pytest.fixture
def url(server: str) -> Iterator[str]:
    """An empty database that is gone after the test."""
    with database_of(server, f"taskflow_test_{os.getpid()}_{next(_numbers)}") as url:
        yield url


@pytest.fixture(scope="session")
def tables(server: str) -> Iterator[str]:
    """A database with our tables, which take a second to make."""
    with database_of(server, f"taskflow_test_{os.getpid()}") as url:
        asyncio.run(_make_tables(url))
        yield url


@pytest.fixture
async def backend(tables: str) -> AsyncIterator[MySQLBackend]:
    """A backend on empty tables."""
    backend = MySQLBackend(tables)
    await backend.open()
    yield backend
    await backend.close()
    run(tables, *(f"DELETE FROM taskflow_{table.name}" for table in TABLES if table is not META))


@pytest.fixture
def private() -> Iterator[PrivateServer]:
    """A server that the test may kill."""
    with private_server() as server:
        yield server


async def _make_tables(url: str) -> None:
    async with opened(MySQLBackend(url)):
        pass
