"""Wall clocks that are wrong, and that jump."""

import asyncio
import os
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fleet import Accepted, at_rest, eventually

from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_testkit.builders import a_beat
from fastapi_taskflow_testkit.faults import WallClock, library
from fastapi_taskflow_testkit.patience import opened
from fastapi_taskflow_testkit.servers import missing
from places import place

SOAK = os.environ.get("TASKFLOW_SOAK") == "1"


@pytest.fixture(autouse=True)
def _installed():
    if library() is None:
        missing("libfaketime", "apt-get install libfaketime")


async def test_instances_with_wrong_clocks_take_nothing_from_the_living(
    fleets, sqlite, client, tmp_path
):
    clocks = [WallClock(tmp_path / f"clock{ahead}", ahead) for ahead in (-30, 86_400)]
    ships, accepted = fleets(sqlite, LEASE="6"), Accepted()
    servers = [ships.start(), *(ships.start(**clock.environment) for clock in clocks)]
    for row, server in enumerate(servers):
        for number in range(row * 10, row * 10 + 10):
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
    ships, accepted = fleets(sqlite, LEASE="6"), Accepted()
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
    await eventually(partial(at_rest, client, living), "the other sees all that has ended")
    assert set((await accepted.statuses(client, living)).values()) == {"success"}


@pytest.fixture
def for_all():
    """A folder into which the user that a server runs as can look."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def ahead(url: str) -> float:
    """How many seconds the clock of a storage is ahead of ours."""
    async with opened(backend_from_url(url)) as backend:
        pulse = await backend.beat(a_beat("who looks at the clock"))
        await backend.leave("who looks at the clock")
    return (pulse.now - datetime.now(UTC)).total_seconds()


# Redis does not start under libfaketime: its allocator asks for the time too early.
@pytest.mark.parametrize("kind", ["mysql", "postgres"] if SOAK else ["postgres"])
async def test_a_clock_of_the_storage_that_jumps_costs_one_round_of_takeovers_at_most(
    fleets, client, for_all, kind
):
    clock = WallClock(for_all / "clock")
    with place(kind, clock.environment) as store:
        ships, accepted = fleets(store.url, LEASE="4"), Accepted()
        servers = [ships.start(), ships.start()]
        for step, numbers in ((3_600, range(10)), (-3_600, range(10, 20))):
            for n in numbers:
                for task in ("once", "again"):
                    await accepted.add(client, servers[n % 2].url, task, n, seconds=1)
            clock.jump(step)
            assert abs(await ahead(store.url) - step) < 60
            await eventually(partial(at_rest, client, servers[0]), "all is over")
        runs = ships.ran()
        seen = Counter((await accepted.statuses(client, servers[1])).values())
    most = max(times for (what, _), times in runs.items() if what == "again")
    print(f"{kind}: accepted {len(accepted.ids)}, {dict(seen)}, most runs of one {most}")
    assert len(accepted.ids) == 40
    assert all(runs["again-done", n] for n in range(20))
    assert all(runs["once", n] <= 1 for n in range(20))
    assert seen.keys() <= {"success", "interrupted"}
    assert most <= 2
