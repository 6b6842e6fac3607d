"""What several test files do to a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import psycopg2

from fastapi_taskflow_testkit.servers import (
    PostgresRecipe,
    PrivateServer,
    missing,
    postgres_program,
)


def run(url: str, *statements: str) -> list[tuple]:
    """Run the statements, each in a transaction; what the last one answers."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def private_server(access: str | None = None, **settings: str | int) -> Iterator[PrivateServer]:
    """A server of the test's own."""
    if which(postgres_program("postgres")) is None:
        missing("postgres", "install its server")
    # Not below pytest's own folder, where the server's user has no way in.
    with (
        TemporaryDirectory(prefix="taskflow-postgres-") as folder,
        PrivateServer(PostgresRecipe(access, **settings), Path(folder)) as server,
    ):
        yield server


def port_of(url: str) -> int:
    """The port that a server really listens on."""
    return int(run(url, "SELECT inet_server_port()")[0][0])


def named(url: str, name: str) -> str:
    """The URL, for connections under a name of their own."""
    return f"{url}{'&' if '?' in url else '?'}application_name={name}"


@contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    """Nobody else can use the table meanwhile."""
    with closing(psycopg2.connect(url)) as connection:
        connection.cursor().execute(f"LOCK TABLE {table}")
        yield
