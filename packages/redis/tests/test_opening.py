"""What a server must be, and what is said where it is not."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest
import redis

from fastapi_taskflow_core.errors import (
    BackendError,
    BackendMisconfigured,
    BackendUnavailable,
    SchemaTooNew,
)
from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_redis.address import Address
from fastapi_taskflow_redis.connection import Limits, Server
from fastapi_taskflow_redis.durability import Promise, ServerInfo
from fastapi_taskflow_redis.keys import Keys
from fastapi_taskflow_redis.schema import Step, migrate
from fastapi_taskflow_testkit.builders import a_task, put, stored
from fastapi_taskflow_testkit.servers import PrivateServer


async def refusal(url: str) -> BackendError:
    """Why a backend does not open."""
    with pytest.raises(BackendError) as caught:
        await RedisBackend(url, timeout=2).open()
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("user", "said"), [("ann:wrong", "WRONGPASS|invalid"), ("", "Authentication required")]
)
async def test_wrong_credentials_are_refused(
    private: PrivateServer, master: redis.Redis, user: str, said: str
) -> None:
    master.config_set("requirepass", "right")
    error = await refusal(f"redis://{user}@127.0.0.1:{private.port}/0")
    assert type(error) is BackendMisconfigured
    assert re.search(said, str(error))
    assert "ann:wrong" not in str(error)


async def test_a_user_without_rights_is_refused(
    private: PrivateServer, master: redis.Redis
) -> None:
    master.acl_setuser("ann", enabled=True, passwords=["+pw"], keys="*", categories=["+@read"])
    error = await refusal(f"redis://ann:pw@127.0.0.1:{private.port}/0")
    assert type(error) is BackendMisconfigured
    assert "no permissions" in str(error)


async def test_a_database_that_is_not_there_is_refused(private: PrivateServer) -> None:
    error = await refusal(f"redis://127.0.0.1:{private.port}/99")
    assert type(error) is BackendMisconfigured
    assert "DB index is out of range" in str(error)


async def test_a_server_that_may_evict_is_refused(
    private: PrivateServer, master: redis.Redis
) -> None:
    master.config_set("maxmemory-policy", "allkeys-lru")
    error = await refusal(private.url)
    assert type(error) is BackendMisconfigured
    assert "allkeys-lru" in str(error)


@pytest.mark.parametrize("place", ["127.0.0.1:1", "no-such-host.invalid:6379"])
async def test_a_server_that_is_not_there_may_come(place: str) -> None:
    assert type(await refusal(f"redis://{place}/0")) is BackendUnavailable


async def test_data_of_a_newer_version_is_refused_and_not_touched(
    url: str, prefix: str, client: redis.Redis
) -> None:
    schema = Keys(prefix)("schema")
    client.set(schema, 2)
    with pytest.raises(SchemaTooNew, match="schema version 2"):
        await RedisBackend(url, prefix=prefix).open()
    assert list(client.scan_iter(f"*{prefix}*", count=10_000)) == [schema]
    assert client.get(schema) == b"2"


async def test_four_that_open_at_once_share_one_store(url: str, prefix: str) -> None:
    backends = [RedisBackend(url, prefix=prefix) for _ in range(4)]
    await asyncio.gather(*(backend.open() for backend in backends))
    task = a_task()
    await put(backends[0], task)
    assert [(await stored(each, task)).task_id for each in backends] == [task.task_id] * 4
    await asyncio.gather(*(backend.close() for backend in backends))


async def test_of_four_that_open_at_once_one_migrates(
    url: str, prefix: str, client: redis.Redis
) -> None:
    keys = Keys(prefix)
    steps: list[Step] = [_step("two"), _step("three")]
    servers = [
        Server(Address.parse(url, {}), keys.tag, Limits(2, 5.0), announce=False) for _ in range(4)
    ]
    for server in servers:
        await server.open()
    await migrate(servers[0], keys, ())
    await asyncio.gather(*(migrate(server, keys, steps) for server in servers))
    for server in servers:
        await server.close()
    assert client.lrange(keys("taken"), 0, -1) == [b"two", b"three"]
    assert client.get(keys("schema")) == b"3"


async def test_a_step_that_fails_holds_up_nobody_and_unlocks_only_what_is_its_own(
    url: str, prefix: str, client: redis.Redis
) -> None:
    keys = Keys(prefix)
    server = Server(Address.parse(url, {}), keys.tag, Limits(2, 5.0), announce=False)
    await server.open()
    await migrate(server, keys, ())

    async def fail(server: Server, keys: Keys) -> None:
        raise ValueError("no good")

    async def be_late(server: Server, keys: Keys) -> None:
        await server.send(("SET", keys("migrating"), "another's"))

    with pytest.raises(ValueError, match="no good"):
        await migrate(server, keys, [fail])
    assert client.get(keys("migrating")) is None
    await migrate(server, keys, [be_late])
    assert client.get(keys("migrating")) == b"another's"
    await server.close()


def _step(name: str) -> Step:
    async def take(server: Server, keys: Keys) -> None:
        await server.send(("RPUSH", keys("taken"), name))

    return take


async def test_the_log_says_once_what_the_server_promises(
    private: PrivateServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastapi_taskflow_redis")
    backend = RedisBackend(private.url)
    for each in (backend, backend, backend.another()):
        await each.open()
        await each.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"{private.url}: {Promise.ALWAYS.value}"
    ]


@pytest.mark.parametrize(
    ("version", "append_only", "appendfsync", "promise"),
    [
        ("6.2.0", 1, "always", Promise.ALWAYS),
        ("7.0.15", 1, "everysec", Promise.SECOND),
        ("7.0.15", 1, None, Promise.SECOND),
        ("7.2.4", 1, "everysec", Promise.ASKED),
        ("8.0.0", 1, "no", Promise.ASKED),
        ("7.2.4", 1, "always", Promise.ALWAYS),
        ("7.2.4", 0, "always", Promise.NOTHING),
    ],
)
def test_what_a_server_promises_follows_from_what_it_says(
    version: str, append_only: int, appendfsync: str | None, promise: Promise
) -> None:
    info = {"redis_version": version, "aof_enabled": append_only}
    assert ServerInfo.read(info, appendfsync).promise is promise
