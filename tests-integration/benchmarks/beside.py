"""What open dashboards cost the application that they are a part of.

One server is watched by nobody, one by twenty streams, and one by twenty dashboards, which also
read their rows again. All three have the same to do at the same time, so that a machine that others
use too is as slow for each: what counts is by how much more of a processor one has had.
"""

import asyncio
import statistics
from collections.abc import Mapping
from contextlib import AsyncExitStack

import httpx

from fastapi_taskflow_testkit.faults import AppServer

from .budgets import Figure
from .viewers import Viewer, pace, viewers

VIEWERS = 20
NUMBER = {"nobody": 0, "streams": VIEWERS, "dashboards": VIEWERS}
SPANS = 5
"""For each round."""
TASKS = 10_000

Clients = Mapping[str, httpx.AsyncClient]


async def figures(servers: Mapping[str, AppServer], seconds: float, rounds: int) -> list[Figure]:
    """What they are told, and what it costs: at a thousand events a second, and without limit."""
    async with AsyncExitStack() as open_:
        clients, looking = {}, {}
        for name, server in servers.items():
            client = httpx.AsyncClient(base_url=server.url, timeout=None)
            clients[name] = await open_.enter_async_context(client)
            some = viewers(server.port, NUMBER[name], refreshing=name == "dashboards")
            looking[name] = await open_.enter_async_context(some)
        cost = await _at_a_pace(clients, looking, seconds, rounds * SPANS)
        told = [each for some in looking.values() for each in some]
        passed = rounds * SPANS * seconds
        return [
            Figure("largest frame", max(max(it.frames) for it in told), "bytes", 4_096),
            Figure("frames a second", max(len(it.frames) for it in told) / passed, "", 1.1),
            Figure("stream of one client", max(it.told for it in told) / passed, "bytes/s", 5_120),
            Figure("20 streams, of a processor", 100 * cost["streams"], "%", 2),
            Figure("20 dashboards, of a processor", 100 * cost["dashboards"], "%", 3),
            Figure(
                "tasks as fast as it goes beside 20 dashboards, of those without",
                await _as_fast_as_it_goes(clients, rounds * SPANS),
                "",
            ),
        ]


async def _at_a_pace(
    clients: Clients, looking: Mapping[str, list[Viewer]], seconds: float, spans: int
) -> dict[str, float]:
    """By how much more of a processor each has than the one that nobody watches."""
    path = pace(spans * seconds + 2)
    running = [asyncio.create_task(client.post(path)) for client in clients.values()]
    await asyncio.sleep(1)
    for some in looking.values():
        for each in some:
            each.frames, each.told = [], 0
    more: dict[str, list[float]] = {name: [] for name in clients}
    before = await _worked(clients)
    for _ in range(spans):
        await asyncio.sleep(seconds)
        after = await _worked(clients)
        had = {name: after[name] - before[name] for name in clients}
        for name, each in had.items():
            more[name].append((each - had["nobody"]) / seconds)
        before = after
    for each in running:
        (await each).raise_for_status()
    return {name: statistics.median(several) for name, several in more.items()}


async def _worked(clients: Clients) -> dict[str, float]:
    answers = [await client.get("/worked") for client in clients.values()]
    return {name: answer.json() for name, answer in zip(clients, answers, strict=True)}


async def _as_fast_as_it_goes(clients: Clients, turns: int) -> float:
    """Tasks for a second of a processor: short turns, one beside the other."""
    shares = []
    for _ in range(turns):
        cost = {}
        for name in ("nobody", "dashboards"):
            answer = await clients[name].post("/run", params={"tasks": TASKS})
            cost[name] = answer.raise_for_status().json()["cpu"]
        shares.append(cost["nobody"] / cost["dashboards"])
    return statistics.median(shares)
