"""The database is locked, its disk is full, and then it is not: nothing accepted is lost."""

import asyncio
import os
import sqlite3
import subprocess
from contextlib import closing

import pytest
from fleet import Accepted, eventually, fleet


async def test_a_lock_of_three_seconds_delays_and_loses_nothing(tmp_path, client):
    with fleet(tmp_path) as ships:
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
            lambda: all(ships.ledger()["again-done", n] for n in accepted.numbers("again")),
            "all accepted tasks are done",
        )
    print(f"asked 50, accepted {len(accepted.ids)}, done {len(accepted.ids)}, lost 0")
    assert len(accepted.ids) == 50


async def test_a_longer_lock_is_a_503_and_what_was_refused_does_not_run(tmp_path, client):
    with fleet(tmp_path, COMMIT="1") as ships:
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
        await eventually(lambda: ships.ledger()["once-done", 2] == 1, "the next task runs")
        listed = (await client.get(f"{server.url}/tasks")).json()
        ran = ships.ledger()
    print(f"asked 2, accepted 1, done {ran['once-done', 2]}, refused and run {ran['once', 1]}")
    assert ran["once", 1] == 0
    assert [task["task_id"] for task in listed] == [accepted.ids["once", 2]]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own with 2 MB; only root may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk can only be mounted by root")
async def test_a_full_disk_is_a_503_and_heals_without_a_restart(tmp_path, client, small_disk):
    with fleet(tmp_path, COMMIT="1", TASKS_DB=str(small_disk / "tasks.db")) as ships:
        server, accepted = ships.start(), Accepted()
        assert await accepted.add(client, server.url, "again", 0)
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
            while True:
                file.write(b"\0" * 4096)
        for number in range(1, 200):
            if not await accepted.add(client, server.url, "again", number):
                break
        assert accepted.refused[503] == 1
        filler.unlink()

        async def works_again() -> bool:
            return await accepted.add(client, server.url, "again", 1_000)

        await eventually(works_again, "tasks are accepted again")
        await eventually(
            lambda: all(ships.ledger()["again-done", n] for n in accepted.numbers("again")),
            "all accepted tasks are done",
        )
    print(f"accepted {len(accepted.ids)}, done {len(accepted.ids)}, lost 0, refused with 503: 1")
