"""The database server itself dies, and the line to it is cut: what was accepted is not lost.

Here for every server; ``hatch run matrix postgres`` runs all faults over one of them.
"""

import asyncio
import os
import random
from collections.abc import Iterator

import pytest
from fleet import Accepted, Fleet, eventually, through

from fastapi_taskflow_testkit.faults import Proxy
from fastapi_taskflow_testkit.faults.proxy import BLACKHOLE, GOOD, Cable
from places import KINDS, Place, place

SOAK = os.environ.get("TASKFLOW_SOAK") == "1"
ASKED, DEATHS, CUTS = (5_000, 10, 100) if SOAK else (600, 2, 15)
CLIENTS = 12
DELAY = 0.4
"""Seconds that a slow line takes."""
AT_ONCE = 100
"""Tasks that are asked for over it at the same moment."""


@pytest.fixture(params=[kind for kind in KINDS if kind != "sqlite"])
def store(request) -> Iterator[Place]:
    with place(request.param) as where:
        yield where


@pytest.fixture
def proxy(store) -> Iterator[Proxy]:
    with Proxy(store.server.port) as proxy:
        yield proxy


async def customers(client, fleet: Fleet, accepted: Accepted) -> None:
    """Clients that ask for so many tasks, one after the other."""
    numbers = iter(range(ASKED))

    async def one() -> None:
        for number in numbers:
            kind = random.choice(("once", "again"))
            await accepted.add(client, fleet.servers[0].url, kind, number, seconds=0.01)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(one() for _ in range(CLIENTS)))


async def check(client, fleet: Fleet, accepted: Accepted, what: str) -> None:
    """Every accepted task has run, and none of those that must not has run twice."""
    await eventually(lambda: not lost(fleet, accepted), "every accepted task has run")
    ran = fleet.ran()
    twice = [which for which, times in ran.items() if which[0] == "once" and times > 1]
    unpromised = {which for which in ran if which[0] in {"once", "again"}} - accepted.ids.keys()
    print(
        f"accepted {len(accepted.ids)}, refused {dict(accepted.refused)}, lost 0, {what},"
        f" started twice {len(twice)}, ran without a promise {len(unpromised)}"
    )
    assert twice == []
    assert accepted.ids

    async def up() -> bool:
        health = await client.get(f"{fleet.servers[0].url}/tasks/health")
        return health.json()["state"] == "up"

    await eventually(up, "the storage is up, and nothing waits for it")


def lost(fleet: Fleet, accepted: Accepted) -> set[tuple[str, int]]:
    ran = fleet.ran()
    return {
        (kind, number)
        for kind, number in accepted.ids
        if not ran["again-done" if kind == "again" else "once", number]
    }


@pytest.mark.timeout(240)
async def test_the_server_is_killed_and_started_again(fleets, store, client):
    ships, accepted = fleets(store.url, COMMIT="2"), Accepted()
    ships.start()
    asking = asyncio.create_task(customers(client, ships, accepted))
    for _ in range(DEATHS):
        await asyncio.sleep(random.uniform(0.2, 0.5))
        await asyncio.to_thread(store.server.kill)
        await asyncio.sleep(random.uniform(0.1, 0.5))
        await asyncio.to_thread(store.server.start)
    await asking
    await check(client, ships, accepted, f"deaths of the server {DEATHS}")


@pytest.mark.timeout(240)
async def test_the_line_is_cut_at_any_byte(fleets, store, proxy, client):
    ships, accepted = fleets(through(proxy, store.url), COMMIT="2"), Accepted()
    ships.start()
    asking = asyncio.create_task(customers(client, ships, accepted))
    cuts = 0
    while cuts < CUTS and not asking.done():
        proxy.lay(Cable(cut_after=random.randrange(20_000)))
        await asyncio.sleep(0.08)
        cuts += 1
    proxy.lay(GOOD)
    await asking
    await check(client, ships, accepted, f"cuts {cuts}")


@pytest.mark.timeout(240)
async def test_a_line_that_swallows_everything_is_a_503_in_time_and_heals(
    fleets, store, proxy, client
):
    ships, accepted = fleets(through(proxy, store.url), COMMIT="1"), Accepted()
    server = ships.start()
    await eventually_accepted(client, accepted, server.url, range(10))
    proxy.lay(BLACKHOLE)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert not await accepted.add(client, server.url, "again", 10, seconds=0)
    took = loop.time() - began
    proxy.lay(GOOD)
    await eventually_accepted(client, accepted, server.url, range(11, 1000))
    await check(client, ships, accepted, f"503 after {took:.1f} s")
    assert accepted.refused.keys() == {503}


@pytest.mark.timeout(240)
async def test_over_a_slow_line_many_tasks_share_a_commit(fleets, store, proxy, client):
    ships, accepted = fleets(through(proxy, store.url)), Accepted()
    url = ships.start().url
    proxy.lay(Cable(delay=DELAY))
    said, took, others = proxy.said, [], []
    loop = asyncio.get_running_loop()

    async def ask(number: int) -> None:
        began = loop.time()
        assert await accepted.add(client, url, "again", number, seconds=0)
        took.append(loop.time() - began)

    async def look() -> None:
        while len(took) < AT_ONCE:
            began = loop.time()
            assert (await client.get(f"{url}/openapi.json")).status_code == 200
            others.append(loop.time() - began)
            await asyncio.sleep(0.01)

    await asyncio.gather(look(), *(ask(number) for number in range(AT_ONCE)))
    said = proxy.said - said
    proxy.lay(GOOD)
    assert said < AT_ONCE / 2
    slowest = f"slowest answer {max(took):.2f} s, slowest other answer {max(others) * 1e3:.0f} ms"
    await check(client, ships, accepted, f"{said} messages, {slowest}")


async def eventually_accepted(client, accepted: Accepted, url: str, numbers: range) -> None:
    """Ask for one after the other until one is accepted."""
    left = iter(numbers)

    async def again() -> bool:
        return await accepted.add(client, url, "again", next(left), seconds=0)

    await eventually(again, "the storage is there")
