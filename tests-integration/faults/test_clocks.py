"""Wall clocks that are wrong, and that jump."""

import asyncio

import pytest
from fleet import Accepted, eventually

from fastapi_taskflow_testkit.faults import WallClock, library
from fastapi_taskflow_testkit.servers import missing


@pytest.fixture(autouse=True)
def _installed():
    if library() is None:
        missing("libfaketime", "apt-get install libfaketime")


async def test_instances_with_wrong_clocks_take_nothing_from_the_living(
    fleets, sqlite, client, tmp_path
):
    clocks = [WallClock(tmp_path / f"clock{ahead}", ahead) for ahead in (-30, 86_400)]
    ships, accepted = fleets(sqlite, LEASE="2"), Accepted()
    servers = [ships.start(), *(ships.start(**clock.environment) for clock in clocks)]
    for place, server in enumerate(servers):
        for number in range(place * 10, place * 10 + 10):
            await accepted.add(client, server.url, "again", number, seconds=3)
    await eventually(
        lambda: all(ships.ran()["again-done", n] for n in accepted.numbers("again")), "all done"
    )
    runs = ships.ran()
    print(
        f"clocks 0, -30 s, +1 day: accepted {len(accepted.ids)}, done {len(accepted.ids)},"
        f" lost 0, taken over {sum(times > 1 for times in runs.values())}"
    )
    assert len(accepted.ids) == 30
    assert set(runs.values()) == {1}


async def test_a_clock_that_jumps_while_tasks_run_costs_nobody_his_tasks(
    fleets, sqlite, client, tmp_path
):
    clock = WallClock(tmp_path / "clock")
    ships, accepted = fleets(sqlite, LEASE="2"), Accepted()
    jumping, living = ships.start(**clock.environment), ships.start()
    for number in range(10):
        await accepted.add(client, jumping.url, "once", number, seconds=3)
        await accepted.add(client, living.url, "once", number + 10, seconds=3)
    for step in (3_600, -3_600, 0, 86_400):
        clock.jump(step)
        await asyncio.sleep(0.5)  # so that a beat and a look of both fall into it
    await eventually(
        lambda: all(ships.ran()["once-done", n] for n in accepted.numbers("once")), "all done"
    )
    runs = ships.ran()
    print(f"jumps 4: accepted 20, done 20, taken over {sum(n > 1 for n in runs.values())}")
    assert set(runs.values()) == {1}
    assert set((await accepted.statuses(client, living)).values()) == {"success"}
