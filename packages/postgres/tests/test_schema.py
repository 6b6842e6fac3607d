"""Where tables are made, and by whom."""

from __future__ import annotations

import asyncio

import pytest
from postgres_tools import run

from fastapi_taskflow_core.backends.base import Query
from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_postgres import PostgresBackend
from fastapi_taskflow_testkit.builders import a_task, put
from fastapi_taskflow_testkit.patience import opened


async def test_of_many_that_start_at_once_one_makes_the_tables(url: str, schema: str) -> None:
    backends = [PostgresBackend(url, schema=schema) for _ in range(8)]
    await asyncio.gather(*(backend.open() for backend in backends))
    try:
        assert run(url, f"SELECT name, value FROM {schema}.taskflow_meta") == [("schema", "1")]
        await asyncio.gather(*(put(backend, a_task()) for backend in backends))
        assert len((await backends[0].query(Query())).tasks) == 8
    finally:
        await asyncio.gather(*(backend.close() for backend in backends))


async def test_a_start_that_dies_while_it_makes_the_tables_leaves_none(
    url: str, schema: str
) -> None:
    run(url, f"CREATE SCHEMA {schema}", f"CREATE TABLE {schema}.taskflow_audit (x int)")
    with pytest.raises(Exception, match="already exists"):
        await PostgresBackend(url, schema=schema).open()
    tables = f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'"
    assert run(url, tables) == [("taskflow_audit",)]


async def test_schemas_and_prefixes_keep_applications_apart(url: str, schema: str) -> None:
    places = [
        PostgresBackend(url, schema=schema),
        PostgresBackend(url, schema=schema, prefix="other_"),
        PostgresBackend(url, schema=schema + '"% x'),
    ]
    try:
        for place in places:
            async with opened(place):
                await put(place, a_task(task_id="same"))
                assert len((await place.query(Query())).tasks) == 1
    finally:
        run(url, f'DROP SCHEMA IF EXISTS "{schema}""% x" CASCADE')


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_url_finds_the_backend(scheme: str) -> None:
    backend = backend_from_url(f"{scheme}://user@host:5433/database")
    assert repr(backend) == "PostgresBackend('postgresql://user@host:5433/database')"


@pytest.mark.parametrize(
    "wrong",
    [
        {"pool_size": 1},
        {"connect_timeout": 0},
        {"statement_timeout": -1.0},
        {"schema": ""},
        {"prefix": "no good"},
        {"prefix": "Upper_"},
        {"prefix": "p" * 60},
    ],
)
def test_an_option_that_makes_no_sense_is_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PostgresBackend("postgresql://host/database", **wrong)
