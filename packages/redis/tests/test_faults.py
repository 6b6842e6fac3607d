"""The server goes away, comes back, is full, is a replica: what is promised is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import redis

from fastapi_taskflow_core.backends.base import Batch
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_redis.script import script
from fastapi_taskflow_testkit.awake import AwakeClock
from fastapi_taskflow_testkit.builders import ME, OTHER, a_task, all_ids, claim, put, stored, tasks
from fastapi_taskflow_testkit.faults import Cable, Proxy
from fastapi_taskflow_testkit.servers import PrivateServer, RedisRecipe


async def test_scripts_that_are_forgotten_are_sent_again(
    own: RedisBackend, master: redis.Redis
) -> None:
    task = a_task(owner=None)
    await put(own, task)
    master.script_flush()
    assert [each.task_id for each in await claim(own, OTHER)] == [task.task_id]


async def test_a_restart_of_the_server_is_survived(
    own: RedisBackend, private: PrivateServer
) -> None:
    before, after = tasks(2)
    await put(own, before)
    private.stop()
    with pytest.raises(BackendUnavailable):
        await put(own, after)
    private.start()
    await put(own, after)
    assert await all_ids(own) == [after.task_id, before.task_id]


async def test_a_replica_is_waited_for(own: RedisBackend, master: redis.Redis) -> None:
    task = a_task()
    master.replicaof("127.0.0.1", "1")
    with pytest.raises(BackendUnavailable, match="replica"):
        await put(own, task)
    master.replicaof("NO", "ONE")
    await put(own, task)


async def test_a_full_server_takes_nothing_in_part_and_heals(
    own: RedisBackend, master: redis.Redis
) -> None:
    records = tasks(3)
    await put(own, a_task(task_id="before"))
    keys = master.dbsize()
    master.config_set("maxmemory", 1)
    with pytest.raises(BackendUnavailable, match="maxmemory"):
        await put(own, *records)
    master.config_set("maxmemory", 0)
    assert master.dbsize() == keys
    await put(own, *records)
    assert len(await all_ids(own)) == 4


async def test_a_frozen_server_is_given_up_in_time(
    own: RedisBackend, private: PrivateServer
) -> None:
    task = a_task()
    await put(own, task)
    private.freeze()
    with AwakeClock() as clock:
        puts = (put(own, task) for _ in range(30))
        answers = await asyncio.gather(*puts, return_exceptions=True)
    assert {type(each) for each in answers} == {BackendUnavailable}
    assert clock.seconds < 3.5  # one after the other it would be 4
    private.thaw()
    assert (await stored(own, task)).task_id == task.task_id


async def test_an_empty_server_refuses_what_it_no_longer_knows(
    own: RedisBackend, master: redis.Redis
) -> None:
    task, new = tasks(2)
    await put(own, task)
    master.flushall()
    written = await own.write(Batch(ME, updates=[task.copy()], inserts=[new]))
    assert written.refused == {task.task_id}
    assert await all_ids(own) == [new.task_id]


@pytest.mark.parametrize("delivered", [False, True], ids=["request lost", "answer lost"])
async def test_a_write_that_is_cut_and_repeated_is_there_once(
    own: RedisBackend, private: PrivateServer, delivered: bool
) -> None:
    first, cut = a_task(), a_task()
    with Proxy(private.port) as proxy:
        backend = RedisBackend(f"redis://127.0.0.1:{proxy.port}/0", timeout=2)
        await backend.open()
        await put(backend, first)
        proxy.cut_at(script("write").digest.encode(), delivered=delivered)
        with pytest.raises(BackendUnavailable):
            await put(backend, cut)
        await put(backend, cut)
        await backend.close()
    assert await all_ids(own) == [cut.task_id, first.task_id]


@pytest.mark.parametrize("delivered", [False, True], ids=["request lost", "answer lost"])
async def test_what_a_lost_claim_took_comes_with_the_next_one(
    own: RedisBackend, private: PrivateServer, delivered: bool
) -> None:
    waiting = tasks(3, owner=None)
    with Proxy(private.port) as proxy:
        backend = RedisBackend(f"redis://127.0.0.1:{proxy.port}/0", timeout=2)
        await backend.open()
        assert await claim(backend, OTHER) == []
        await put(own, *waiting)
        proxy.cut_at(script("claim").digest.encode(), delivered=delivered)
        with pytest.raises(BackendUnavailable):
            await claim(backend, OTHER)
        claimed = await claim(backend, OTHER)
        again = await claim(backend, OTHER)
        await backend.close()
    assert [(each.task_id, each.epoch) for each in claimed] == [(t.task_id, 2) for t in waiting]
    assert again == []


async def test_a_slow_way_costs_one_round_trip_for_a_batch(private: PrivateServer) -> None:
    with Proxy(private.port, Cable(delay=0.05)) as proxy:
        backend = RedisBackend(f"redis://127.0.0.1:{proxy.port}/0")
        await backend.open()
        await put(backend, *tasks(10))
        before = proxy.turns
        await put(backend, *tasks(200, owner=None))
        turns = proxy.turns - before
        await backend.close()
    assert turns == 1


@pytest.mark.parametrize("appendfsync", ["always", "everysec"])
async def test_what_was_acknowledged_survives_the_death_of_the_server(
    tmp_path: Path, appendfsync: str
) -> None:
    acknowledged: list[str] = []
    with PrivateServer(RedisRecipe(appendfsync), tmp_path) as server:
        backend = RedisBackend(server.url, timeout=2)
        await backend.open()

        async def write() -> None:
            while True:
                some = [a_task() for _ in range(10)]
                await put(backend, *some)
                acknowledged.extend(task.task_id for task in some)

        writers = [asyncio.create_task(write()) for _ in range(4)]
        while len(acknowledged) < 1_000:  # noqa: ASYNC110  what the writers count
            await asyncio.sleep(0.005)
        await asyncio.to_thread(server.kill)
        await asyncio.wait(writers)
        assert {type(each.exception()) for each in writers} == {BackendUnavailable}
        await asyncio.to_thread(server.start)
        lost = [each for each in acknowledged if await backend.get(each) is None]
        await backend.close()
    print(  # noqa: T201  a figure for the reader of the test run
        f"{appendfsync}: {len(acknowledged)} acknowledged, {len(lost)} lost"
    )
    assert appendfsync == "everysec" or not lost
