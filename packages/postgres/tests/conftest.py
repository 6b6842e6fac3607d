"""A server, and a schema of its own in it for each test."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from postgres_tools import private_server, run

from fastapi_taskflow_postgres import PostgresBackend
from fastapi_taskflow_testkit.servers import (
    POSTGRES_STANDARD,
    PostgresRecipe,
    PrivateServer,
    postgres_answers,
    postgres_program,
    server_url,
)

_numbers = itertools.count()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """A database to test with."""
    program = postgres_program("postgres")
    recipe = PostgresRecipe()
    with server_url("postgres", POSTGRES_STANDARD, postgres_answers, recipe, program) as url:
        yield url


@pytest.fixture
def schema(url: str) -> Iterator[str]:
    """The name of a schema that is not there yet, and not any more after the test."""
    schema = f"taskflow_test_{os.getpid()}_{next(_numbers)}"
    yield schema
    run(url, "SET client_min_messages = error", f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture
async def backend(url: str, schema: str) -> AsyncIterator[PostgresBackend]:
    """A backend on that schema."""
    backend = PostgresBackend(url, schema=schema)
    await backend.open()
    yield backend
    await backend.close()


@pytest.fixture
def private() -> Iterator[PrivateServer]:
    """A server that the test may kill."""
    with private_server() as server:
        yield server
