"""Servers that are killed, frozen, cut off or full, and what callers hear of it."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import closing

import pytest
from postgres_tools import locked, named, port_of, run

from fastapi_taskflow_core.backends.base import Batch, RollupQuery
from fastapi_taskflow_core.errors import BackendError, BackendUnavailable
from fastapi_taskflow_postgres import PostgresBackend
from fastapi_taskflow_testkit.builders import ME, a_line, a_task, ended, put, say, stored
from fastapi_taskflow_testkit.faults import Cable, Proxy
from fastapi_taskflow_testkit.patience import opened


async def test_a_terminated_connection_is_replaced_before_anybody_notices(
    url: str, schema: str
) -> None:
    terminate = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    async with opened(PostgresBackend(named(url, schema), schema=schema)) as backend:
        for _ in range(3):
            await backend.get("x")
            await put(backend, a_task())
            ended = run(url, f"{terminate} WHERE application_name = '{schema}'")
            assert ended == [(True,), (True,)]


async def test_a_host_that_is_silent_is_passed_over(url: str, schema: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        hosts = f"127.0.0.1:{silent.getsockname()[1]},127.0.0.1:{port_of(url)}"
        both = url.replace(f"127.0.0.1:{port_of(url)}", hosts)
        async with opened(PostgresBackend(both, schema=schema, connect_timeout=0.3)) as backend:
            await put(backend, a_task())


@pytest.mark.parametrize("delivered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("word", [b"INSERT INTO taskflow_logs", b"COMMIT"])
async def test_a_batch_that_is_cut_is_written_once_when_it_is_repeated(
    url: str, schema: str, word: bytes, delivered: bool
) -> None:
    port = port_of(url)
    done, keyed = ended(a_task()), a_task(idempotency_key="k", tags={"a": "b"})
    batch = Batch(ME, inserts=[done, keyed], logs=[(done.task_id, a_line())])
    with Proxy(port) as proxy:
        through = url.replace(f":{port}", f":{proxy.port}")
        async with opened(PostgresBackend(through, schema=schema)) as backend:
            proxy.cut_at(word, delivered=delivered)
            with pytest.raises(BackendUnavailable):
                await backend.write(batch)
            assert proxy.cuts == 1
            written = await backend.write(batch)
            assert (written.refused, written.duplicates) == (frozenset(), {})
            assert [await stored(backend, it) for it in (done, keyed)] == [done, keyed]
            assert len(await backend.logs(done.task_id)) == 1
            counted = await backend.rollups(RollupQuery("hour"))
            assert sum(v.n for k, v in counted.items() if k.event == "success") == 1


async def test_a_slow_way_costs_a_write_no_more_than_three_round_trips(
    url: str, schema: str, backend: PostgresBackend
) -> None:
    port = port_of(url)
    with Proxy(port, Cable(delay=0.05)) as proxy:
        through = url.replace(f":{port}", f":{proxy.port}")
        async with opened(PostgresBackend(through, schema=schema)) as far_away:
            before = proxy.turns
            await put(far_away, *(ended(a_task()) for _ in range(100)))
            assert proxy.turns - before <= 3


async def test_a_slow_read_does_not_hold_up_writes(
    url: str, schema: str, backend: PostgresBackend
) -> None:
    await say(backend, "x", [a_line()])
    with locked(url, f"{schema}.taskflow_logs"):
        reading = asyncio.create_task(backend.logs("x"))
        for _ in range(10):
            await put(backend, a_task())
        assert not reading.done()
    assert len(await reading) == 1


async def test_a_statement_that_waits_too_long_is_given_up(
    url: str, schema: str, backend: PostgresBackend
) -> None:
    impatient = PostgresBackend(url, schema=schema, statement_timeout=0.3)
    async with opened(impatient):
        with (
            locked(url, f"{schema}.taskflow_tasks"),
            pytest.raises(BackendUnavailable, match=r"timeout|not answer"),
        ):
            await put(impatient, a_task())
        await put(impatient, a_task())


async def test_a_thousand_failures_leave_no_connection_behind(url: str, schema: str) -> None:
    wrong = a_task(priority=2**70)
    async with opened(PostgresBackend(named(url, schema), schema=schema, pool_size=4)) as backend:
        for _ in range(100):
            failing = [*(put(backend, wrong) for _ in range(10))]
            answers = await asyncio.gather(*failing, return_exceptions=True)
            assert {type(answer) for answer in answers} == {BackendError}
        await put(backend, a_task())
        assert connections(url, schema) <= 2
    deadline = time.monotonic() + 30
    while connections(url, schema):
        assert time.monotonic() < deadline, "a closed backend is still connected"
        await asyncio.sleep(0.01)


def connections(url: str, name: str) -> int:
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name"
    return int(run(url, f"{count} = '{name}'")[0][0])
