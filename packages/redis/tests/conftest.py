"""A server, and a key prefix of its own in it for each test."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_testkit.servers import (
    REDIS_PROGRAM,
    REDIS_STANDARD,
    PrivateServer,
    RedisRecipe,
    redis_answers,
    server_url,
)

_numbers = itertools.count()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """A database to test with."""
    with server_url("redis", REDIS_STANDARD, redis_answers, RedisRecipe(), REDIS_PROGRAM) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    """A plain client of that server, for what a backend does not show."""
    with redis.Redis.from_url(url) as client:
        yield client


@pytest.fixture
def prefix(client: redis.Redis) -> Iterator[str]:
    """What no key begins with yet, and none any more after the test."""
    prefix = f"taskflow_test_{os.getpid()}_{next(_numbers)}"
    yield prefix
    if keys := list(client.scan_iter(f"*{prefix}*", count=10_000)):
        client.delete(*keys)


@pytest.fixture
async def backend(url: str, prefix: str) -> AsyncIterator[RedisBackend]:
    """A backend under that prefix."""
    backend = RedisBackend(url, prefix=prefix)
    await backend.open()
    yield backend
    await backend.close()


@pytest.fixture
def private(tmp_path: Path) -> Iterator[PrivateServer]:
    """A server that the test may kill."""
    with PrivateServer(RedisRecipe(), tmp_path) as server:
        yield server


@pytest.fixture
def master(private: PrivateServer) -> Iterator[redis.Redis]:
    """A plain client of the private server, to set it up."""
    with redis.Redis.from_url(private.url) as client:
        yield client


@pytest.fixture
async def own(private: PrivateServer) -> AsyncIterator[RedisBackend]:
    """A backend on the private server, with little patience."""
    backend = RedisBackend(private.url, timeout=1.0)
    await backend.open()
    yield backend
    await backend.close()
