"""The database is locked, its disk is full, and then it is not: nothing accepted is lost."""

import asyncio
import sqlite3
from contextlib import ExitStack, closing

from fleet import Accepted, eventually

from fastapi_taskflow_testkit.faults import can_mount, small_disk, write_errors
from fastapi_taskflow_testkit.servers import missing


async def test_a_lock_of_three_seconds_delays_and_loses_nothing(fleets, sqlite, client):
    ships = fleets(sqlite, COMMIT="30")
    server, accepted = ships.start(), Accepted()
    with closing(sqlite3.connect(ships.database)) as foreign:
        foreign.execute("BEGIN EXCLUSIVE")
        adding = [
            asyncio.create_task(accepted.add(client, server.url, "again", number))
            for number in range(50)
        ]
        await asyncio.sleep(3)
        foreign.rollback()
    await asyncio.gather(*adding)
    await eventually(
        lambda: all(ships.ran()["again-done", n] for n in accepted.numbers("again")),
        "all accepted tasks are done",
    )
    print(f"asked 50, accepted {len(accepted.ids)}, done {len(accepted.ids)}, lost 0")
    assert len(accepted.ids) == 50


async def test_a_longer_lock_is_a_503_and_what_was_refused_does_not_run(fleets, sqlite, client):
    ships = fleets(sqlite, COMMIT="1")
    server, accepted = ships.start(), Accepted()
    with closing(sqlite3.connect(ships.database)) as foreign:
        foreign.execute("BEGIN EXCLUSIVE")
        answer = await client.post(f"{server.url}/add/once/1")
        health = await client.get(f"{server.url}/tasks/health")
        foreign.rollback()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "could not be stored" in answer.json()["detail"]
    assert health.json()["state"] in {"degraded", "down"}

    async def works_again() -> bool:
        return await accepted.add(client, server.url, "once", 2)

    await eventually(works_again, "tasks are accepted again")
    await eventually(lambda: ships.ran()["once-done", 2] == 1, "the next task runs")
    listed = (await client.get(f"{server.url}/tasks")).json()
    ran = ships.ran()
    print(f"asked 2, accepted 1, done {ran['once-done', 2]}, refused and run {ran['once', 1]}")
    assert ran["once", 1] == 0
    assert [task["task_id"] for task in listed] == [accepted.ids["once", 2]]


async def test_a_full_disk_is_a_503_and_heals_without_a_restart(fleets, client, tmp_path):
    if not can_mount():
        missing("mount", "only root may mount a small disk")
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk") as disk:
        ships = fleets(f"sqlite:///{disk.folder / 'tasks.db'}", COMMIT="1")
        server, accepted = ships.start(), Accepted()
        assert await accepted.add(client, server.url, "again", 0)
        disk.fill()
        await refused_until_repaired(ships, server, client, accepted, disk.free)
        server.kill()


async def test_a_disk_with_errors_is_a_503_and_heals_without_a_restart(fleets, sqlite, client):
    ships = fleets(sqlite, COMMIT="1")
    server, accepted = ships.start(), Accepted()
    assert await accepted.add(client, server.url, "again", 0)
    # The fault is one of every file of the process, that in which its tasks count too.
    await eventually(lambda: ships.ran()["again-done", 0] == 1, "nothing runs any more")
    with ExitStack() as fault:
        fault.enter_context(write_errors(server.pid))
        await refused_until_repaired(ships, server, client, accepted, fault.close)


async def refused_until_repaired(ships, server, client, accepted, repair) -> None:
    for number in range(1, 200):
        if not await accepted.add(client, server.url, ("once", "again")[number % 2], number):
            break
    assert accepted.refused[503] == 1

    async def down() -> bool:
        return (await client.get(f"{server.url}/tasks/health")).status_code == 503

    await eventually(down, "the storage has been failing for as long as a commit may take")
    repair()

    async def works_again() -> bool:
        return await accepted.add(client, server.url, "again", 1_000)

    await eventually(works_again, "tasks are accepted again")
    await eventually(
        lambda: all(ships.ran()[f"{kind}-done", n] for kind, n in accepted.ids),
        "all accepted tasks are done",
    )
    ran = ships.ran()
    twice = sum(times > 1 for (what, _), times in ran.items() if what == "once")
    number = len(accepted.ids)
    print(
        f"accepted {number}, done {number}, lost 0, refused {accepted.refused},"
        f" started twice {twice}"
    )
    assert twice == 0


async def test_a_file_that_is_gone_is_refused_and_never_made_anew(fleets, sqlite, client):
    ships = fleets(sqlite, COMMIT="1")
    server, accepted = ships.start(), Accepted()
    assert await accepted.add(client, server.url, "once", 1)
    away = ships.database.with_name("away.db")
    ships.database.rename(away)
    assert not await accepted.add(client, server.url, "once", 2)
    assert not ships.database.exists()
    health = (await client.get(f"{server.url}/tasks/health")).json()
    assert "tasks.db" in health["last_error"]
    away.rename(ships.database)

    async def works_again() -> bool:
        return await accepted.add(client, server.url, "once", 3)

    await eventually(works_again, "tasks are accepted again")
    await eventually(lambda: ships.ran()["once-done", 3] == 1, "the next task runs")
    ran = ships.ran()
    print(
        f"accepted 2, done 2, refused 1, refused and run {ran['once', 2]}, state {health['state']}"
    )
    assert [ran["once", number] for number in (1, 2, 3)] == [1, 0, 1]


async def test_what_got_a_503_before_a_crash_is_neither_promised_nor_run(fleets, sqlite, client):
    ships = fleets(sqlite, COMMIT="2")
    server, accepted = ships.start(), Accepted()
    for number in range(5):
        await accepted.add(client, server.url, "once", number)
    with closing(sqlite3.connect(ships.database)) as foreign:
        foreign.execute("BEGIN EXCLUSIVE")
        await asyncio.gather(
            *(accepted.add(client, server.url, "once", number) for number in range(5, 15))
        )
        server.kill()
        foreign.rollback()
    last = ships.start()
    assert await accepted.add(client, last.url, "once", 15)
    await eventually(
        lambda: all(ships.ran()["once", n] for n in accepted.numbers("once")), "all accepted run"
    )
    ran = [number for (what, number) in ships.ran() if what == "once"]
    print(f"asked 16, accepted {len(accepted.ids)}, refused {accepted.refused[503]}, lost 0")
    assert accepted.numbers("once") == {*range(5), 15}
    assert sorted(ran) == sorted(accepted.numbers("once"))
