"""What a start says when the server refuses, in one line, and never the password."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import pytest
from postgres_tools import private_server, run

from fastapi_taskflow_core import TaskManager
from fastapi_taskflow_core.errors import (
    BackendError,
    BackendMisconfigured,
    BackendUnavailable,
    SchemaTooNew,
)
from fastapi_taskflow_postgres import PostgresBackend
from fastapi_taskflow_testkit.builders import a_task, put
from fastapi_taskflow_testkit.patience import opened
from fastapi_taskflow_testkit.refusals import SECRET_IN_URL, check_refusal
from fastapi_taskflow_testkit.servers import PrivateServer

ACCESS = """
host all postgres,guest,full 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
REFUSALS = [
    ("login:{secret}@127.0.0.1:{port}/postgres", BackendMisconfigured, "password authentication"),
    ("login@127.0.0.1:{port}/postgres", BackendMisconfigured, "no password"),
    ("stranger:{secret}@127.0.0.1:{port}/postgres", BackendMisconfigured, "password"),
    ("postgres:{secret}@127.0.0.1:{port}/nowhere", BackendMisconfigured, '"nowhere" does not'),
    ("postgres:{secret}@127.0.0.1:{port}/latin", BackendMisconfigured, "LATIN1: it must be UTF8"),
    ("postgres:{secret}@127.0.0.1:{port}/postgres?sslmode=require", BackendMisconfigured, "SSL"),
    ("guest:{secret}@127.0.0.1:{port}/postgres", BackendMisconfigured, "denied for schema public"),
    ("full:{secret}@127.0.0.1:{port}/postgres", BackendUnavailable, "too many connections"),
    ("postgres:{secret}@no-such-host.invalid/postgres", BackendUnavailable, "no-such-host"),
    ("postgres:{secret}@127.0.0.1:1/postgres", BackendUnavailable, "refused"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateServer]:
    """A server that wants a password of most users."""
    with private_server(ACCESS) as server:
        run(
            server.url,
            "CREATE ROLE login LOGIN PASSWORD 'another'",
            "CREATE ROLE guest LOGIN",
            "CREATE ROLE full LOGIN CONNECTION LIMIT 0",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0",
        )
        yield server


@pytest.mark.parametrize(("place", "expected", "reason"), REFUSALS)
async def test_a_refusal_is_one_line_that_says_why_without_the_password(
    server: PrivateServer,
    caplog: pytest.LogCaptureFixture,
    place: str,
    expected: type[BackendError],
    reason: str,
) -> None:
    url = place.format(port=server.port, secret=SECRET_IN_URL)
    backend = PostgresBackend(f"postgresql://{url}")
    where = url.partition("@")[2].partition("/")[0]
    await check_refusal(backend.open, expected, reason, where, caplog)
    assert "p4ss" not in repr(backend)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:p4ss%zz@host/db",
        "postgresql://user:p4ss@host:p4ss/db",
        "postgresql://user@host/db?p4ss=1",
        "postgresql://user:p4ss@[host/db",
        "postgresql://user:p4@ss/p4ss@host/db",
        "postgresql://user:p4/p4ss@host/db",
        "host",
        "",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="'postgresql://user:password@host") as caught:
        PostgresBackend(url)
    assert "p4ss" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["postgresql://u:p4ss@h/d", "postgres://u@h/d?password=p4ss"])
def test_nothing_shows_the_password(url: str) -> None:
    backend = PostgresBackend(url)
    shown = repr(backend) + repr(backend.another()) + repr(vars(backend))
    assert "p4ss" not in shown
    assert repr(backend) == "PostgresBackend('postgresql://u@h/d')"


async def test_a_user_who_may_not_make_the_schema_is_told(server: PrivateServer) -> None:
    url = server.url.replace("postgres@", "guest@")
    with pytest.raises(BackendMisconfigured, match="permission denied for database postgres"):
        await PostgresBackend(url, schema="mine").open()


async def test_a_user_who_may_not_write_the_tables_is_told_which(server: PrivateServer) -> None:
    async with opened(PostgresBackend(server.url, schema="theirs")):
        run(
            server.url,
            "GRANT USAGE ON SCHEMA theirs TO guest",
            "GRANT ALL ON ALL TABLES IN SCHEMA theirs TO guest",
            "REVOKE DELETE ON theirs.taskflow_logs FROM guest",
        )
    url = server.url.replace("postgres@", "guest@")
    with pytest.raises(BackendMisconfigured, match="denied for taskflow_logs: .* DELETE$"):
        await PostgresBackend(url, schema="theirs").open()
    run(server.url, "GRANT DELETE ON theirs.taskflow_logs TO guest")
    async with opened(PostgresBackend(url, schema="theirs")) as backend:
        await put(backend, a_task())


async def test_a_newer_schema_is_refused_and_not_touched(server: PrivateServer) -> None:
    backend = PostgresBackend(server.url, schema="newer")
    async with opened(backend):
        run(server.url, "UPDATE newer.taskflow_meta SET value = '999'")
    with pytest.raises(SchemaTooNew, match="999"):
        await backend.open()
    assert run(server.url, "SELECT value FROM newer.taskflow_meta") == [("999",)]


async def test_a_server_that_only_reads_may_take_writes_later(server: PrivateServer) -> None:
    run(server.url, "CREATE DATABASE standby")
    url = server.url.removesuffix("postgres") + "standby"
    async with opened(PostgresBackend(url)) as backend:
        await put(backend, a_task())
        run(server.url, "ALTER DATABASE standby SET default_transaction_read_only = on")
        run(
            server.url,
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = 'standby'",
        )
        with pytest.raises(BackendUnavailable, match="read-only"):
            await put(backend, a_task())
        run(server.url, "ALTER DATABASE standby SET default_transaction_read_only = off")
        await put(backend, a_task())


async def test_commits_that_may_be_lost_are_told_of_once(
    server: PrivateServer, caplog: pytest.LogCaptureFixture
) -> None:
    run(server.url, "CREATE DATABASE hasty", "ALTER DATABASE hasty SET synchronous_commit = off")
    url = server.url.removesuffix("postgres") + "hasty"
    for _ in range(2):
        async with opened(PostgresBackend(url)) as backend, opened(backend.another()):
            pass
    assert [it.levelname for it in caplog.records if "synchronous_commit" in it.message] == [
        "WARNING"
    ]


async def test_an_application_starts_without_its_server_and_stores_once_it_is_there() -> None:
    with private_server() as server:
        server.stop()
        manager = TaskManager(snapshot_backend=server.url)
        await manager.startup()
        server.start()
        await manager.enqueue(print, "hello")
        await manager.shutdown()
        assert run(server.url, "SELECT count(*) FROM taskflow_tasks") == [(1,)]
