"""SIGTERM and SIGINT under the servers that people use."""

import asyncio
import signal
import time
from pathlib import Path

import pytest
from fleet import HERE, Accepted, eventually

from fastapi_taskflow_testkit.awake import AwakeClock
from fastapi_taskflow_testkit.faults import SERVERS, AppServer

DRAIN = 2.0


def without_us(server: str, folder: Path) -> int:
    """The exit code after SIGTERM of a server with an application that has nothing of ours."""
    with AppServer.of("plain:app", HERE, server=server, output=folder) as plain:
        plain.wait_until_it_answers().signal(signal.SIGTERM)
        return plain.ended()


@pytest.mark.parametrize("server", SERVERS)
async def test_a_long_task_does_not_hold_up_the_stop(fleet, client, tmp_path, server):
    ships = fleet(DRAIN=str(DRAIN))
    first, accepted = ships.start(server), Accepted()
    for kind in ("once", "again", "unkept", "in_thread"):
        await accepted.add(client, first.url, kind, 1, seconds=60)
    await eventually(lambda: ships.ran().total() == 4, "all four tasks run")
    with AwakeClock() as clock:
        first.signal(signal.SIGTERM)
        code = await asyncio.to_thread(first.ended)
    # Hypercorn gives requests three seconds of its own before it says that it stops.
    assert clock.seconds < DRAIN + 2 + (3 if server == "hypercorn" else 0)
    assert code == without_us(server, tmp_path)

    second = ships.start()

    async def settled() -> bool:
        seen = await accepted.statuses(client, second)
        return "pending" not in seen.values() and seen["in_thread", 1] == "interrupted"

    await eventually(settled, "the next process has put everything in order")
    seen = {kind: status for (kind, _), status in (await accepted.statuses(client, second)).items()}
    print(f"{server}: gone after {clock.seconds:.1f} s with exit code {code}, {seen}")
    assert seen == {
        "once": "interrupted",
        "again": "running",
        "unkept": "interrupted",
        "in_thread": "interrupted",
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_what_waits_is_run_by_the_next_process(fleet, client, number):
    ships = fleet()
    first, accepted = ships.start(), Accepted()
    for place in range(30):
        await accepted.add(client, first.url, "again", place, seconds=0.2)
    first.signal(number)
    first.ended()
    ships.start()
    await eventually(
        lambda: all(ships.ran()["again-done", place] for place in range(30)),
        "all accepted tasks are done",
    )
    print("accepted 30, done 30, lost 0")


async def test_a_second_signal_stops_at_once(fleet, client):
    ships = fleet(DRAIN="30")
    server, accepted = ships.start(), Accepted()
    for kind in ("once", "in_thread"):
        await accepted.add(client, server.url, kind, 1, seconds=60)
    await eventually(lambda: ships.ran().total() == 2, "the tasks run")
    server.signal(signal.SIGINT)
    await asyncio.sleep(0.5)  # a person presses the keys twice
    server.signal(signal.SIGINT)
    server.ended(within=20)  # neither task has ended, nor the time to drain


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_in_the_middle_of_the_start_leaves_everything_as_it_was(fleet, client, number):
    ships, accepted = fleet(), Accepted()
    first = ships.start()
    for place in range(20):
        await accepted.add(client, first.url, "once", place, seconds=30, key=f"{place}")
    await eventually(lambda: ships.ran().total() == 20, "the tasks run")
    for place in range(20, 40):
        await accepted.add(client, first.url, "again", place, seconds=30)
    first.kill()
    began = time.monotonic()
    ships.start().kill()
    takes = time.monotonic() - began
    for part, number in enumerate((signal.SIGTERM, signal.SIGINT) * 2, start=1):
        starting = ships.start(answers=False)
        await asyncio.sleep(takes * part / 4)
        starting.signal(number)
        starting.ended()
    last = ships.start()

    async def settled() -> bool:
        seen = await accepted.statuses(client, last)
        return all(
            status == ("interrupted" if kind == "once" else "running")
            for (kind, _), status in seen.items()
        )

    await eventually(settled, "what may run again runs")
    twice = sum(times > 1 for (what, _), times in ships.ran().items() if what == "once")
    print(f"accepted {len(accepted.ids)}, lost 0, started twice {twice}, stopped in the start 4")
    assert twice == 0


async def test_preloaded_workers_are_instances_of_their_own(fleet, client):
    ships, accepted = fleet(), Accepted()
    server = ships.start("gunicorn with preload")
    await asyncio.gather(
        *(accepted.add(client, server.url, "again", number) for number in range(40))
    )
    await eventually(
        lambda: all(ships.ran()["again-done", n] == 1 for n in range(40)), "all have run once"
    )

    async def both_beat() -> bool:
        listed = (await client.get(f"{server.url}/tasks/instances")).json()
        return len({each["pid"] for each in listed}) == 2

    await eventually(both_beat, "both workers are known")
    print(f"accepted {len(accepted.ids)}, done 40, lost 0, run twice 0")
    assert len(accepted.ids) == 40
