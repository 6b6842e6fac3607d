"""Faults at random for as long as one likes, under load and with a schedule: ``hatch run soak``.

Not one of the tests that always run. ``TASKFLOW_MINUTES`` says for how long, ``TASKFLOW_SEED``
repeats the order of the faults.
"""

import asyncio
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from random import Random

import httpx
import pytest
from fleet import Accepted, Fleet, eventually, through

from fastapi_taskflow_testkit.faults import BLACKHOLE, GOOD, AppServer, Cable, Proxy
from places import Place

MINUTES = float(os.environ.get("TASKFLOW_MINUTES", "0.2"))
SEED = int(os.environ.get("TASKFLOW_SEED") or random.randrange(1_000_000))
INSTANCES, CLIENTS = 3, 4
LEASE = 3.0
EVERY = 0.5
Trouble = Callable[[], Awaitable[None]]


@dataclass
class Stage:
    """What troubles come to, and the troubles."""

    ships: Fleet
    store: Place
    proxy: Proxy | None
    chance: Random
    afloat: list[AppServer] = field(default_factory=list)

    @property
    def troubles(self) -> list[Trouble]:
        """Those that this storage can have."""
        common = [self.killed, self.stopped, self.frozen]
        if self.proxy is None:
            return [*common, self.locked]
        return [*common, self.cut, self.swallowed, self.server_killed]

    async def launch(self) -> None:
        """One more instance."""
        self.afloat.append(await asyncio.to_thread(self.ships.start))

    async def killed(self) -> None:
        """SIGKILL for one instance; another comes."""
        victim = self._one()
        await asyncio.to_thread(victim.kill)
        await self.launch()

    async def stopped(self) -> None:
        """SIGTERM for one instance; another comes."""
        victim = self._one()
        victim.signal(signal.SIGTERM)
        await asyncio.to_thread(victim.ended, 30)
        await self.launch()

    async def frozen(self) -> None:
        """One instance stands still, for less than its lease or for longer."""
        victim = self.chance.choice(self.afloat)
        self.ships.freeze(victim)
        await asyncio.sleep(self.chance.uniform(0, 2.5 * LEASE))
        victim.thaw()

    async def locked(self) -> None:
        """A foreign tool locks the file."""
        with closing(sqlite3.connect(self.ships.database, timeout=10)) as foreign:
            foreign.execute("BEGIN EXCLUSIVE")
            await asyncio.sleep(self.chance.choice((0.1, 1, 6)))
            foreign.rollback()

    async def cut(self) -> None:
        """Lines break at any byte."""
        for _ in range(20):
            self._cable.lay(Cable(cut_after=self.chance.randrange(20_000)))
            await asyncio.sleep(0.1)
        self._cable.lay(GOOD)

    async def swallowed(self) -> None:
        """What is said gets lost, and nobody is told."""
        self._cable.lay(BLACKHOLE)
        await asyncio.sleep(self.chance.uniform(1, 10))
        self._cable.lay(GOOD)

    async def server_killed(self) -> None:
        """The server of the storage dies, and is started again."""
        server = self.store.server
        assert server is not None
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(self.chance.uniform(0, 3))
        await asyncio.to_thread(server.start)

    @property
    def _cable(self) -> Proxy:
        assert self.proxy is not None
        return self.proxy

    def _one(self) -> AppServer:
        return self.afloat.pop(self.chance.randrange(len(self.afloat)))


@pytest.fixture
def proxy(store) -> Iterator[Proxy | None]:
    if store.server is None:
        yield None
    else:
        with Proxy(store.server.port) as proxy:
            yield proxy


@pytest.mark.timeout(MINUTES * 60 + 600)
async def test_whatever_comes_nothing_accepted_is_lost(fleets, store, proxy, client):
    print(f"\nseed {SEED}, {MINUTES:g} minutes")
    url = store.url if proxy is None else through(proxy, store.url)
    ships = fleets(url, LEASE=f"{LEASE}", COMMIT="2", CRASHES="1000", EVERY=f"{EVERY}")
    stage = Stage(ships, store, proxy, Random(SEED))
    for _ in range(INSTANCES):
        await stage.launch()
    accepted, met = Accepted(), Counter[str]()
    deadline = time.monotonic() + MINUTES * 60
    asking = [asyncio.create_task(ask(place, stage, accepted)) for place in range(CLIENTS)]
    while time.monotonic() < deadline:
        trouble = stage.chance.choice(stage.troubles)
        met[trouble.__name__] += 1
        await trouble()
        await asyncio.sleep(stage.chance.uniform(0, 2))
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await check(client, stage, accepted, met)


async def ask(place: int, stage: Stage, accepted: Accepted) -> None:
    """A client that asks now this instance, now that one."""
    async with httpx.AsyncClient(timeout=5) as client:
        number = place
        while True:
            server = random.choice(stage.afloat)
            kind = random.choice(("once", "again"))
            await accepted.add(client, server.url, kind, number, seconds=random.choice((0, 0.1, 2)))
            number += CLIENTS
            await asyncio.sleep(0.05)


async def check(client, stage: Stage, accepted: Accepted, met: Counter[str]) -> None:
    """Everything accepted has come to its end, and nothing ran more often than it may."""
    ships, last = stage.ships, stage.afloat[-1]
    cut_off: set[tuple[str, int]] = set()

    async def nothing_is_missing() -> bool:
        ran = ships.ran()
        missing = {(kind, n) for kind, n in accepted.ids if not ran[f"{kind}-done", n]} - cut_off
        for task in missing:
            answer = await client.get(f"{last.url}/tasks/{accepted.ids[task]}")
            if answer.json()["status"] == "interrupted":
                cut_off.add(task)
        return missing <= cut_off

    try:
        await eventually(nothing_is_missing, "every accepted task has come to its end", within=120)
    finally:
        ran = ships.ran()
        twice = [task for task, times in ran.items() if task[0] in {"once", "tick"} and times > 1]
        print(
            f"{dict(met)}: accepted {len(accepted.ids)}, refused {dict(accepted.refused)},"
            f" done {len(accepted.ids) - len(cut_off)}, interrupted {len(cut_off)},"
            f" started twice {len(twice)}, of those that may"
            f" {sum(times > 1 for (what, _), times in ran.items() if what == 'again')},"
            f" slots {sum(what == 'tick' for what, _ in ran)}"
        )
    assert twice == []
    assert {kind for kind, _ in cut_off} <= {"once"}
    assert any(what == "tick" for what, _ in ran)
