"""Processes that stand still for a while: frozen, blocked, or at the worst moment."""

import asyncio
import signal
from itertools import count

import pytest
from fleet import Accepted, eventually

from fastapi_taskflow_testkit.processes import running

LEASE = 2.0
WRITES = """
import sqlite3, sys
from pathlib import Path
from fastapi_taskflow_sqlite.lock import FileLock

lock = FileLock(Path(sys.argv[1] + ".lock"))
assert lock.acquire(5)
writer = sqlite3.connect(sys.argv[1], isolation_level=None)
writer.execute("BEGIN IMMEDIATE")
writer.execute("UPDATE taskflow_tasks SET error = 'half done'")
print("ready", flush=True)
sys.stdin.read()
writer.execute("ROLLBACK")
lock.release()
"""
"""What another instance is doing when it is frozen."""


async def test_frozen_between_the_record_of_a_start_and_the_call_it_starts_once(
    fleet, client, tmp_path
):
    ships, accepted, pauses = fleet(LEASE=str(LEASE)), Accepted(), tmp_path / "pauses"
    frozen = ships.start(PAUSES=str(pauses))
    living = ships.start()
    await accepted.add(client, frozen.url, "once", 1, seconds=1)
    task_id = accepted.ids["once", 1]
    await eventually(pauses.exists, "a start is on record")
    ships.freeze(frozen)
    pauses.unlink()

    async def interrupted() -> bool:
        task = (await client.get(f"{living.url}/tasks/{task_id}")).json()
        return task["status"] == "interrupted"

    await eventually(interrupted, "the living instance has found the owner dead")
    frozen.thaw()

    async def let_go() -> bool:
        listed = (await client.get(f"{frozen.url}/tasks/instances")).json()
        return all(each["running"] + each["waiting"] == 0 for each in listed)

    await eventually(let_go, "the thawed instance has dropped it")
    ran = ships.ran()
    print(f"accepted 1, interrupted 1, started {ran['once', 1]}, done {ran['once-done', 1]}")
    assert ran["once", 1] <= 1
    assert await interrupted()


async def test_frozen_for_less_than_the_lease_it_keeps_its_tasks(fleet, client):
    ships, accepted = fleet(LEASE="6"), Accepted()
    frozen, living = ships.start(), ships.start()
    for number in range(10):
        await accepted.add(client, frozen.url, "once", number, seconds=4)
        await accepted.add(client, frozen.url, "again", number, seconds=4)
    await eventually(lambda: ships.ran().total() == 20, "the tasks run")
    ships.freeze(frozen)
    await asyncio.sleep(2.5)  # well below the lease, well above a beat
    frozen.thaw()
    await eventually(
        lambda: all(ships.ran()[f"{kind}-done", n] for kind, n in accepted.ids), "all are done"
    )

    async def all_succeeded() -> bool:
        return set((await accepted.statuses(client, living)).values()) == {"success"}

    await eventually(all_succeeded, "the living instance sees them done")
    ran = ships.ran()
    print(f"accepted 20, done 20, run twice {sum(n > 1 for n in ran.values())}")
    assert set(ran.values()) == {1}


@pytest.mark.parametrize("kind", ["blocking", "greedy"])
async def test_a_process_that_cannot_answer_breaks_no_promise(fleet, client, kind):
    lease = 2 * LEASE  # a machine that hesitates must not look like a process that is gone
    ships, accepted = fleet(LEASE=str(lease)), Accepted()
    busy, living = ships.start(), ships.start()
    for number in range(5):
        await accepted.add(client, busy.url, "again", number, seconds=1)
    await accepted.add(client, busy.url, kind, 1, seconds=1.5 * lease)
    await eventually(lambda: ships.ran()[kind, 1] == 1, "the loop is blocked")
    await asyncio.sleep(lease)  # so that a beat of the blocked process would be missed
    instances = (await client.get(f"{living.url}/tasks/instances")).json()
    await eventually(lambda: ships.ran()[f"{kind}-done", 1] == 1, "the call returns")

    async def settled() -> bool:
        return set((await accepted.statuses(client, living)).values()) <= {"success", "interrupted"}

    await eventually(settled, "everything has come to an end")
    seen = await accepted.statuses(client, living)
    ran = ships.ran()
    print(
        f"accepted 6, {kind}: {seen[kind, 1]}, started {ran[kind, 1]},"
        f" done {sum(status == 'success' for status in seen.values())},"
        f" loop lag shown {max(each['loop_lag'] for each in instances):.1f} s"
    )
    assert ran[kind, 1] == 1
    assert all(status == "success" for (of, _), status in seen.items() if of == "again")
    if kind == "blocking":  # the heartbeat has a thread of its own
        assert seen[kind, 1] == "success"
        assert set(ran.values()) == {1}


async def test_a_frozen_instance_that_is_told_to_stop_stops_when_it_thaws(fleet, client):
    ships, accepted = fleet(LEASE=str(LEASE), DRAIN="1"), Accepted()
    frozen, living = ships.start(), ships.start()
    for number in range(5):
        await accepted.add(client, frozen.url, "again", number, seconds=2)
    await eventually(lambda: ships.ran().total() == 5, "the tasks run")
    ships.freeze(frozen)
    frozen.signal(signal.SIGTERM)
    await eventually(
        lambda: all(ships.ran()["again-done", n] for n in range(5)), "the other has taken over"
    )
    frozen.thaw()
    frozen.ended()

    async def all_succeeded() -> bool:
        return set((await accepted.statuses(client, living)).values()) == {"success"}

    await eventually(all_succeeded, "nothing was overwritten")
    print(f"accepted 5, done 5, lost 0, runs {ships.ran().total()}")


@pytest.mark.parametrize("end", ["goes on", "is killed"])
async def test_a_process_that_is_frozen_in_the_middle_of_a_write_holds_up_writes_alone(
    fleets, sqlite, client, end
):
    ships, accepted, numbers = fleets(sqlite, LEASE="3", COMMIT="1"), Accepted(), count()
    fleet = [ships.start(), ships.start()]
    for ship in fleet:
        assert await accepted.add(client, ship.url, "held", next(numbers), seconds=0.05)
    await eventually(lambda: ships.ran().total() == 2, "the tasks run")
    with running(WRITES, ships.database) as writer:
        writer.send_signal(signal.SIGSTOP)
        for ship in fleet:
            assert not await accepted.add(client, ship.url, "once", next(numbers))
            listed = await client.get(f"{ship.url}/tasks")
            assert [task["status"] for task in listed.json()] == ["running", "running"]
        await asyncio.sleep(1.5)  # no beat has been written for longer than a lease
        states = [(await client.get(f"{ship.url}/tasks/health")).json() for ship in fleet]
        assert {state["state"] for state in states} <= {"degraded", "down"}
        if end == "goes on":
            writer.send_signal(signal.SIGCONT)
            writer.stdin.close()
            writer.wait()
    ships.let_go()

    async def both_work_again() -> bool:
        return all([await accepted.add(client, it.url, "once", next(numbers)) for it in fleet])

    await eventually(both_work_again, "tasks are accepted again")

    async def settled() -> bool:
        seen = await accepted.statuses(client, fleet[0])
        return set(seen.values()) <= {"success", "interrupted"}

    await eventually(settled, "everything has come to an end")
    seen, ran = await accepted.statuses(client, fleet[1]), ships.ran()
    print(f"refused {accepted.refused}, ended {list(seen.values())}, runs {dict(ran)}")
    assert accepted.refused[503] >= 2
    # A 503 is no promise, and no promise that it will not run: what was on its way to the file
    # may get there, and somebody who takes the other for dead may be faster than its withdrawal.
    assert {number for _, number in ran} >= {number for _, number in accepted.ids}
    assert max(ran.values()) == 1
