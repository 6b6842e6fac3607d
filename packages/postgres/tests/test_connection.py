"""Transactions: what they leave behind, and what becomes of those that meet."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest

from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_postgres.address import Address
from fastapi_taskflow_postgres.dialect import POSTGRES
from fastapi_taskflow_postgres.server import PostgresServer
from fastapi_taskflow_postgres.session import PostgresSession
from fastapi_taskflow_postgres.terms import to_write
from fastapi_taskflow_sql import Connection, Limits, ServerConnections, Statements

LIMITS = Limits(pool_size=4, connect_timeout=5, statement_timeout=5)
ADD = "INSERT INTO taskflow_meta VALUES (%s, '')"
CHANGE = "UPDATE taskflow_meta SET value = value || 'x' WHERE name = %s"
READ = "SELECT value FROM taskflow_meta WHERE name = %s"


@pytest.fixture
async def connections(url: str, schema: str) -> AsyncIterator[ServerConnections]:
    """Connections to a database with two rows, ``a`` and ``b``."""
    server = PostgresServer(Address.parse(url), Statements(POSTGRES), schema, LIMITS)
    connections = ServerConnections(server, LIMITS.pool_size)
    await connections.open()
    await connections.write(lambda it: [it.execute(ADD, (name,)) for name in "ab"])
    yield connections
    await connections.close()


async def test_transactions_in_a_deadlock_are_tried_again(connections: ServerConnections) -> None:
    met = threading.Barrier(2)

    def change(order: str) -> Callable[[Connection], None]:
        first = True

        def work(connection: Connection) -> None:
            nonlocal first
            connection.execute(CHANGE, (order[0],))
            if first:
                first = False
                met.wait(30)
            connection.execute(CHANGE, (order[1],))

        return work

    await asyncio.gather(connections.write(change("ab")), connections.write(change("ba")))
    assert await connections.read(lambda it: it.fetch(READ, ("a",))) == [("xx",)]


async def test_work_that_raises_leaves_nothing(connections: ServerConnections) -> None:
    def work(connection: Connection) -> None:
        connection.execute(CHANGE, ("a",))
        raise KeyError

    with pytest.raises(KeyError):
        await connections.write(work)
    assert await connections.read(lambda it: it.fetch(READ, ("a",))) == [("",)]


async def test_a_read_sees_one_state(connections: ServerConnections) -> None:
    meanwhile, between = threading.Event(), threading.Event()

    def look(connection: Connection) -> list[object]:
        first = connection.fetch(READ, ("a",))
        between.set()
        meanwhile.wait(30)
        return [first, connection.fetch(READ, ("a",))]

    reading = asyncio.create_task(connections.read(look))
    await asyncio.to_thread(between.wait, 5)
    await connections.write(lambda it: it.execute(CHANGE, ("a",)))
    meanwhile.set()
    first, second = await reading
    assert first == second


async def test_who_only_reads_cannot_write(connections: ServerConnections) -> None:
    with pytest.raises(BackendUnavailable, match="read-only"):
        await connections.read(lambda it: it.execute(CHANGE, ("a",)))


def test_a_transaction_leaves_its_session_as_it_was(url: str) -> None:
    session = PostgresSession(Address.parse(url), time.monotonic() + 5)
    said = [f"SELECT current_setting('{it}')" for it in ("search_path", "statement_timeout")]
    before = [session.fetch(each) for each in said]
    session.begin(to_write(5, "elsewhere").beginning, time.monotonic() + 5)
    assert session.fetch(said[0]) == [("elsewhere",)]
    session.commit()
    assert [session.fetch(each) for each in said] == before
    session.close()


async def test_a_client_that_freezes_in_a_transaction_does_not_keep_its_locks(
    url: str, schema: str, connections: ServerConnections
) -> None:
    frozen = PostgresSession(Address.parse(url), time.monotonic() + 5)
    frozen.begin(to_write(0.2, schema).beginning, time.monotonic() + 5)
    frozen.execute(CHANGE, ("a",))
    await connections.write(lambda it: it.execute(CHANGE, ("a",)))
    assert not frozen.usable
    frozen.close()
