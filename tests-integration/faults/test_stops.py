"""SIGTERM and SIGINT under the servers that people use."""

import asyncio
import signal
import time

import pytest
from fleet import SERVERS, Accepted, eventually, fleet

DRAIN = 4.0


@pytest.mark.parametrize("server", SERVERS)
async def test_a_long_task_does_not_hold_up_the_stop(tmp_path, client, server):
    with fleet(tmp_path, DRAIN=str(DRAIN)) as ships:
        first, accepted = ships.start(server), Accepted()
        for kind in ("once", "again", "unkept", "in_thread"):
            await accepted.add(client, first.url, kind, 1, seconds=60)
        await eventually(lambda: ships.ledger().total() == 4, "all four tasks run")
        began = time.monotonic()
        first.signal(signal.SIGTERM)
        # Hypercorn gives requests three seconds of its own before it says that it stops.
        first.ended(within=DRAIN + 2 + (3 if server == "hypercorn" else 0))
        took = time.monotonic() - began

        second = ships.start()

        async def statuses() -> dict[str, str]:
            return {
                kind: (await client.get(f"{second.url}/tasks/{task_id}")).json()["status"]
                for (kind, _), task_id in accepted.ids.items()
            }

        async def settled() -> bool:
            return (
                "pending" not in (seen := await statuses()).values()
                and seen["in_thread"] == "interrupted"
            )

        await eventually(settled, "the next process has put everything in order")
        seen = await statuses()
    print(f"{server}: gone after {took:.1f} s, {seen}")
    assert seen == {
        "once": "interrupted",
        "again": "running",
        "unkept": "interrupted",
        "in_thread": "interrupted",
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_what_waits_is_run_by_the_next_process(tmp_path, client, number):
    with fleet(tmp_path) as ships:
        first, accepted = ships.start(), Accepted()
        for place in range(30):
            await accepted.add(client, first.url, "again", place, seconds=0.2)
        first.signal(number)
        first.ended(within=DRAIN + 2)
        ships.start()
        await eventually(
            lambda: all(ships.ledger()["again-done", place] for place in range(30)),
            "all accepted tasks are done",
        )
    print("accepted 30, done 30, lost 0")


async def test_a_second_signal_stops_at_once(tmp_path, client):
    with fleet(tmp_path, DRAIN="30") as ships:
        server, accepted = ships.start(), Accepted()
        for kind in ("once", "in_thread"):
            await accepted.add(client, server.url, kind, 1, seconds=60)
        await eventually(lambda: ships.ledger().total() == 2, "the tasks run")
        server.signal(signal.SIGINT)
        await asyncio.sleep(0.5)  # a person presses the keys twice
        server.signal(signal.SIGINT)
        server.ended(within=5)
