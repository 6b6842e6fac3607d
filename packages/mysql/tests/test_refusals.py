"""What a start says when the server refuses, in one line, and never the password."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest
from mysql_tools import at, certificate, connect, private_server, run

from fastapi_taskflow_core import TaskManager
from fastapi_taskflow_core.errors import (
    BackendError,
    BackendMisconfigured,
    BackendUnavailable,
    SchemaTooNew,
)
from fastapi_taskflow_mysql import MySQLBackend, session
from fastapi_taskflow_testkit.builders import a_task, all_ids, put, stored
from fastapi_taskflow_testkit.patience import opened
from fastapi_taskflow_testkit.refusals import SECRET, SECRET_IN_URL, check_refusal
from fastapi_taskflow_testkit.servers import PrivateServer

REFUSALS = [
    ("login:{secret}@127.0.0.1:{port}/shop", BackendMisconfigured, "Access denied for user"),
    ("login@127.0.0.1:{port}/shop", BackendMisconfigured, "using password: NO"),
    ("stranger:{secret}@127.0.0.1:{port}/shop", BackendMisconfigured, "Access denied"),
    ("root@127.0.0.1:{port}/nowhere", BackendMisconfigured, "Unknown database 'nowhere'"),
    ("guest:{secret}@127.0.0.1:{port}/shop", BackendMisconfigured, "command denied"),
    ("root:{secret}@no-such-host.invalid/shop", BackendUnavailable, "no-such-host"),
    ("root:{secret}@127.0.0.1:1/shop", BackendUnavailable, "refused"),
    ("root@127.0.0.1:{port}/shop?ssl_ca=/no/ca.pem", BackendMisconfigured, "/no/ca.pem"),
]


@pytest.fixture(scope="module")
def own() -> Iterator[PrivateServer]:
    """A server with users who may less than they would like."""
    with private_server() as server:
        run(
            server.url,
            "CREATE DATABASE shop",
            "CREATE USER login@127.0.0.1 IDENTIFIED BY 'another'",
            f"CREATE USER guest@127.0.0.1 IDENTIFIED BY '{SECRET}'",
            "GRANT SELECT ON shop.* TO guest@127.0.0.1",
            f"CREATE USER full@127.0.0.1 IDENTIFIED BY '{SECRET}' WITH MAX_USER_CONNECTIONS 1",
            "GRANT ALL ON shop.* TO full@127.0.0.1",
        )
        yield server


@pytest.mark.parametrize(("place", "expected", "reason"), REFUSALS)
async def test_a_refusal_is_one_line_that_says_why_without_the_password(
    own: PrivateServer,
    caplog: pytest.LogCaptureFixture,
    place: str,
    expected: type[BackendError],
    reason: str,
) -> None:
    url = place.format(port=own.port, secret=SECRET_IN_URL)
    backend = MySQLBackend(f"mysql://{url}")
    where = url.partition("@")[2].partition("/")[0]
    await check_refusal(backend.open, expected, reason, where, caplog)
    assert "p4ss" not in repr(backend)


async def test_a_server_with_a_certificate_of_another_authority_is_refused_and_that_is_no_outage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        certificate() as ours,
        certificate() as another,
        private_server(ssl_cert=str(ours.cert), ssl_key=str(ours.key)) as server,
    ):
        place = f"127.0.0.1:{server.port}"
        backend = MySQLBackend(f"mysql://root:{SECRET_IN_URL}@{place}/mysql?ssl_ca={another.cert}")
        said = "certificate verify failed"
        await check_refusal(backend.open, BackendMisconfigured, said, place, caplog)
        async with opened(MySQLBackend(f"mysql://root@{place}/mysql?ssl_ca={ours.cert}")):
            pass


async def test_a_server_whose_certificate_is_for_another_name_is_refused_if_the_name_is_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        certificate() as ours,
        private_server(ssl_cert=str(ours.cert), ssl_key=str(ours.key)) as server,
    ):
        path = f"{server.port}/mysql?ssl_ca={ours.cert}&ssl_verify_identity=true"
        backend = MySQLBackend(f"mysql://root:{SECRET_IN_URL}@127.0.0.1:{path}")
        said = "IP address mismatch"
        await check_refusal(backend.open, BackendMisconfigured, said, "127.0.0.1", caplog)
        async with opened(MySQLBackend(f"mysql://root@localhost:{path}")):
            pass


async def test_a_user_with_all_his_connections_taken_may_have_one_later(
    own: PrivateServer, caplog: pytest.LogCaptureFixture
) -> None:
    place = f"127.0.0.1:{own.port}"
    url = f"mysql://full:{SECRET_IN_URL}@{place}/shop"
    with closing(connect(url)):
        backend = MySQLBackend(url)
        await check_refusal(backend.open, BackendUnavailable, "max_user_connections", place, caplog)


async def test_a_user_who_may_not_write_is_told(own: PrivateServer) -> None:
    async with opened(MySQLBackend(at(own.url, "shop"))):
        pass
    url = f"mysql://guest:{SECRET_IN_URL}@127.0.0.1:{own.port}/shop"
    with pytest.raises(BackendMisconfigured, match="INSERT command denied .*taskflow_settings"):
        await MySQLBackend(url).open()
    run(own.url, "GRANT INSERT, UPDATE, DELETE ON shop.* TO guest@127.0.0.1")
    async with opened(MySQLBackend(url)) as backend:
        await put(backend, a_task())


async def test_a_login_that_needs_another_package_names_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise RuntimeError("'cryptography' package is required for caching_sha2_password")

    monkeypatch.setattr("pymysql.connect", refuse)
    with pytest.raises(BackendMisconfigured, match=r"127\.0\.0\.1.*'cryptography' package"):
        await MySQLBackend(url).open()


async def test_a_newer_schema_is_refused_and_not_touched(url: str) -> None:
    backend = MySQLBackend(url)
    async with opened(backend):
        run(url, "UPDATE taskflow_meta SET value = '999'")
    with pytest.raises(SchemaTooNew, match="999"):
        await backend.open()
    assert run(url, "SELECT value FROM taskflow_meta") == [("999",)]


async def test_four_who_start_at_once_make_the_tables_once(url: str) -> None:
    backends = [MySQLBackend(url) for _ in range(4)]
    await asyncio.gather(*(backend.open() for backend in backends))
    task = a_task()
    await put(backends[0], task)
    assert await stored(backends[3], task) == task
    for backend in backends:
        await backend.close()


async def test_a_half_made_schema_is_made_again(url: str) -> None:
    run(url, "CREATE TABLE taskflow_tasks (task_id INT)", "CREATE TABLE taskflow_logs (x INT)")
    async with opened(MySQLBackend(url)) as backend:
        task = a_task()
        await put(backend, task)
        assert await stored(backend, task) == task


async def test_a_server_that_only_reads_may_take_writes_later(own: PrivateServer) -> None:
    run(own.url, "CREATE DATABASE IF NOT EXISTS standby")
    run(own.url, "CREATE USER IF NOT EXISTS app@127.0.0.1")
    run(own.url, "GRANT ALL ON standby.* TO app@127.0.0.1")
    url = f"mysql://app@127.0.0.1:{own.port}/standby"
    async with opened(MySQLBackend(url)) as backend:
        await put(backend, a_task())
        run(own.url, "SET GLOBAL read_only = ON")
        with pytest.raises(BackendUnavailable, match="read-only"):
            await put(backend, a_task())
        run(own.url, "SET GLOBAL read_only = OFF")
        await put(backend, a_task())


async def test_commits_that_may_be_lost_are_told_of_once(
    own: PrivateServer, caplog: pytest.LogCaptureFixture
) -> None:
    run(own.url, "CREATE DATABASE hasty", "SET GLOBAL innodb_flush_log_at_trx_commit = 2")
    for _ in range(2):
        async with opened(MySQLBackend(at(own.url, "hasty"))):
            pass
    run(own.url, "SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    told = [it.levelname for it in caplog.records if "flush_log" in it.message]
    assert told == ["WARNING"]


async def test_connections_that_the_server_ended_for_idleness_are_replaced(
    own: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(own.url, "CREATE DATABASE IF NOT EXISTS idle")
    url = at(own.url, "idle")
    monkeypatch.setattr(session, "IDLE", 0.0)
    async with opened(MySQLBackend(url)) as backend:
        await put(backend, a_task())
        await all_ids(backend)
        for (each,) in run(
            own.url, "SELECT id FROM information_schema.processlist WHERE db = 'idle'"
        ):
            run(own.url, f"KILL {each}")
        await put(backend, a_task())
        assert len(await all_ids(backend)) == 2


async def test_what_is_larger_than_a_packet_is_refused_alone(own: PrivateServer) -> None:
    run(own.url, "CREATE DATABASE IF NOT EXISTS small")
    run(own.url, "SET GLOBAL max_allowed_packet = 65536")
    try:
        async with opened(MySQLBackend(at(own.url, "small"))) as backend:
            small = a_task(payload=b"x" * 100)
            with pytest.raises(BackendError, match="cannot be stored") as caught:
                await put(backend, a_task(payload=b"x" * 100_000))
            assert not isinstance(caught.value, BackendUnavailable)
            await put(backend, small)
            assert await stored(backend, small) == small
    finally:
        run(own.url, "SET GLOBAL max_allowed_packet = 16777216")


async def test_an_application_starts_without_its_server_and_stores_once_it_is_there() -> None:
    with private_server() as server:
        server.stop()
        manager = TaskManager(snapshot_backend=server.url)
        await manager.startup()
        server.start()
        await manager.enqueue(print, "hello")
        await manager.shutdown()
        assert run(server.url, "SELECT count(*) FROM taskflow_tasks") == [(1,)]
