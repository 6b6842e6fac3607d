"""A server, and a schema of its own in it for each test."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2
import pytest

from fastapi_taskflow_postgres import PostgresBackend
from fastapi_taskflow_testkit.servers import (
    POSTGRES_STANDARD,
    PostgresRecipe,
    PrivateServer,
    missing,
    postgres_answers,
    postgres_program,
    server_url,
)

_numbers = itertools.count()


def run(url: str, *statements: str) -> list[tuple]:
    """What the last of the statements answers."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


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
def private() -> Iterator[Callable[..., PrivateServer]]:
    """Makes servers that the test may kill, with settings."""
    from contextlib import ExitStack
    if not Path(postgres_program("postgres")).exists():
        missing("postgres", "install its server")
    with ExitStack() as stack:

        def make(**settings: str | int) -> PrivateServer:
            folder = stack.enter_context(TemporaryDirectory(prefix="taskflow-postgres-"))
            return stack.enter_context(PrivateServer(PostgresRecipe(**settings), Path(folder)))

        yield make
