"""Listening ends with the server, and begins again with it."""

from __future__ import annotations

import asyncio

import pytest
import redis

from fastapi_taskflow_core.errors import BackendMisconfigured, BackendUnavailable
from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_testkit.patience import insist, opened
from fastapi_taskflow_testkit.servers import PrivateServer


async def listening(backend: RedisBackend, heard: asyncio.Event) -> asyncio.Future[None]:
    """A listener that has heard a knock."""
    heard.clear()
    found = asyncio.ensure_future(backend.listen(heard.set))
    while not heard.is_set() and not found.done():
        await backend.knock()
        await asyncio.sleep(0.01)
    return found


async def test_who_listens_to_a_server_that_dies_is_told(
    own: RedisBackend, private: PrivateServer
) -> None:
    heard = asyncio.Event()
    for _ in range(2):
        found = await listening(own, heard)
        private.kill()
        with pytest.raises(BackendUnavailable):
            await asyncio.wait_for(found, 30)
        with pytest.raises(BackendUnavailable):
            await own.listen(heard.set)
        private.start()
        await insist(own.knock)


async def test_a_user_who_may_not_subscribe_is_told(
    private: PrivateServer, master: redis.Redis
) -> None:
    master.execute_command("ACL", "SETUSER", "deaf", "on", "nopass", "+@all", "~*", "resetchannels")
    url = private.url.replace("//", "//deaf:x@")
    async with opened(RedisBackend(url)) as backend:
        with pytest.raises(BackendMisconfigured):
            await backend.listen(lambda: None)


async def test_other_prefixes_are_not_heard(own: RedisBackend, private: PrivateServer) -> None:
    heard = asyncio.Event()
    async with opened(RedisBackend(private.url, prefix="other")) as other:
        found = await listening(own, heard)
        heard.clear()
        await other.knock()
        quiet = await listening(other, asyncio.Event())  # a way there and back: it would be here
        assert not heard.is_set()
        for each in (found, quiet):
            each.cancel()
        await asyncio.wait([found, quiet])
