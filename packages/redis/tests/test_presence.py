"""Instances of this host whose process is gone are buried before their lease has run out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis

from fastapi_taskflow_core.backends.base import Claim
from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_testkit.builders import FUNCTION, ME, OTHER, a_beat, a_task, beat_of, put
from fastapi_taskflow_testkit.patience import opened

WANTED = Claim(OTHER, frozenset({FUNCTION}))


@pytest.fixture
async def dead(backend: RedisBackend) -> AsyncIterator[RedisBackend]:
    """A backend whose process is as good as gone, on behalf of `ME`, which left a task."""
    await beat_of(backend, OTHER)
    async with opened(backend.another()) as dead:
        await beat_of(dead, ME)
        await put(dead, a_task(task_id="left behind", persist=True))
        assert await backend.claim(WANTED) == []
    yield dead


async def living(backend: RedisBackend) -> dict[str, bool]:
    return {info.instance: info.living for info in await backend.instances()}


@pytest.mark.usefixtures("dead")
async def test_what_they_left_is_claimed_at_once(backend: RedisBackend) -> None:
    assert await living(backend) == {ME: False, OTHER: True}
    (claimed,) = await backend.claim(WANTED)
    assert (claimed.task_id, claimed.owner) == ("left behind", OTHER)
    assert await living(backend) == {OTHER: True}


async def test_one_that_comes_again_is_told_that_it_was_buried(
    backend: RedisBackend, dead: RedisBackend
) -> None:
    await backend.claim(WANTED)
    async with opened(dead):
        assert not (await dead.beat(a_beat(ME))).alive
        assert (await dead.beat(a_beat(ME))).alive
        assert await backend.claim(WANTED) == []
        assert await living(backend) == {ME: True, OTHER: True}


@pytest.mark.usefixtures("dead")
async def test_of_two_that_claim_one_gets_what_they_left(backend: RedisBackend) -> None:
    async with opened(backend.another()) as second:
        both = await asyncio.gather(backend.claim(WANTED), second.claim(WANTED))
    assert [task.task_id for claimed in both for task in claimed] == ["left behind"]


async def test_one_that_the_server_does_not_know_is_not_remembered_as_dead(
    backend: RedisBackend, dead: RedisBackend, client: redis.Redis, prefix: str
) -> None:
    client.hdel(f"{{{prefix}}}:beats", ME)
    await backend.claim(WANTED)
    async with opened(dead):
        assert (await dead.beat(a_beat(ME))).alive


async def test_where_nobody_is_gone_a_claim_is_one_round_trip(
    own: RedisBackend, master: redis.Redis
) -> None:
    def calls() -> int:
        stats = master.info("commandstats")
        return int(stats["cmdstat_evalsha"]["calls"])

    await beat_of(own, ME)
    await own.claim(WANTED)
    before = calls()
    await own.claim(WANTED)
    assert calls() == before + 1
