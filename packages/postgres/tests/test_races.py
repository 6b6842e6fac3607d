"""What others do between two statements of one operation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from fastapi_taskflow_core.backends.base import Claim, Pulse
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_postgres import PostgresBackend
from fastapi_taskflow_postgres.address import Address
from fastapi_taskflow_postgres.dialect import POSTGRES
from fastapi_taskflow_postgres.server import CLOCK, PostgresServer
from fastapi_taskflow_sql import (
    BeatsOnly,
    Connection,
    Limits,
    ServerClock,
    ServerConnections,
    Statements,
    Tick,
)
from fastapi_taskflow_sql.claims import Claims
from fastapi_taskflow_sql.connection import Row, Value
from fastapi_taskflow_sql.instances import Instances
from fastapi_taskflow_sql.tasks import Tasks
from fastapi_taskflow_sql.timetable import Timetable
from fastapi_taskflow_testkit.builders import FUNCTION, ME, OTHER, a_beat, a_task, now, put
from fastapi_taskflow_testkit.patience import opened

SQL = Statements(POSTGRES)
LIMITS = Limits(pool_size=2, connect_timeout=5, statement_timeout=20)


class Interrupted(ServerClock):
    """When it is asked for the lease's time the *at*-th time, something else happens first."""

    def __init__(self, at: int, meanwhile: Callable[[], object]) -> None:
        super().__init__(CLOCK)
        self._left = at
        self._meanwhile = meanwhile

    def tick(self, connection: Connection) -> Tick:
        """The time, after what happens meanwhile."""
        self._left -= 1
        if self._left == 0:
            self._meanwhile()
        return super().tick(connection)


def connections(url: str, schema: str) -> ServerConnections:
    server = PostgresServer(Address.parse(url), SQL, schema, LIMITS)
    return ServerConnections(server, LIMITS.pool_size)


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_who_beats_while_its_tasks_are_given_away_hears_of_it(
    backend: PostgresBackend, url: str, schema: str, at: int
) -> None:
    late, long = a_beat(ME, lease=timedelta(0)), a_beat(ME, lease=timedelta(minutes=1))
    await backend.beat(late)
    await put(backend, a_task(persist=True))
    pulses: list[Pulse] = []

    async def beat() -> None:
        other = PostgresBackend(url, schema=schema, statement_timeout=0.5)
        async with opened(other):
            with suppress(BackendUnavailable):  # it has to wait for the others
                pulses.append(await other.beat(long))

    clock = Interrupted(at, lambda: asyncio.run(beat()))
    claims = Claims(SQL, clock, Tasks(SQL), Instances(SQL, clock, BeatsOnly()))
    claim = partial(claims.claim, wanted=Claim(OTHER, frozenset({FUNCTION})))
    async with opened(connections(url, schema)) as writers:
        claimed = await writers.write(claim)
    pulses.append(await backend.beat(long))
    given_away = len(claimed.tasks) == 1
    assert given_away == (not all(pulse.alive for pulse in pulses))


async def test_who_is_declared_dead_in_the_middle_of_its_beat_hears_of_it(
    backend: PostgresBackend, url: str, schema: str
) -> None:
    late, long = a_beat(ME, lease=timedelta(0)), a_beat(ME, lease=timedelta(minutes=1))
    await backend.beat(late)

    async def claim() -> None:
        other = PostgresBackend(url, schema=schema, statement_timeout=0.5)
        async with opened(other):
            with suppress(BackendUnavailable):  # it has to wait for the beat
                await other.claim(Claim(OTHER, frozenset()))
                assert await other.instances() == []
                buried.append(ME)

    buried: list[str] = []
    instances = Instances(SQL, Interrupted(1, lambda: asyncio.run(claim())), BeatsOnly())
    async with opened(connections(url, schema)) as writers:
        pulses = [await writers.write(partial(instances.beat, beat=long))]
    pulses.append(await backend.beat(long))
    assert bool(buried) == (not all(pulse.alive for pulse in pulses))


class Meddled:
    """A connection; after its first statement something else happens."""

    def __init__(self, connection: Connection, meanwhile: Callable[[], object]) -> None:
        self._connection = connection
        self._left = [meanwhile]

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run the statement, then what happens meanwhile."""
        changed = self._connection.execute(sql, parameters)
        while self._left:
            self._left.pop()()
        return changed

    def fetch(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query."""
        return self._connection.fetch(sql, parameters)


async def test_a_task_whose_key_is_dropped_while_it_is_put_has_the_key(
    backend: PostgresBackend, url: str, schema: str
) -> None:
    first, then = a_task(owner=None), a_task(owner=None)
    await backend.put_later("key", first, now())

    async def drop() -> None:
        async with opened(PostgresBackend(url, schema=schema)) as other:
            assert await other.drop_later("key", now()) is not None

    timetable = Timetable(SQL, ServerClock(CLOCK), Tasks(SQL))

    def put_then(connection: Connection) -> str | None:
        meddled = Meddled(connection, lambda: asyncio.run(drop()))
        return timetable.put(meddled, "key", then, now())

    async with opened(connections(url, schema)) as writers:
        assert await writers.write(put_then) is None
    assert [it.task.task_id for it in await backend.later()] == [then.task_id]
