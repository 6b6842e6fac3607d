"""Locks between processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from fastapi_taskflow_core.backends.base import Claim
from fastapi_taskflow_core.errors import BackendError
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_sqlite.lock import FileLock
from fastapi_taskflow_testkit.builders import FUNCTION, a_beat, a_task, put
from fastapi_taskflow_testkit.processes import running

LOCK = """
import sys
from pathlib import Path
from fastapi_taskflow_sqlite.lock import FileLock
lock = FileLock(Path(sys.argv[1]))
assert lock.acquire(1)
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire(0)
    assert not second.acquire(0.01)
    first.release()
    assert second.acquire(5)
    second.release()
    assert first.acquire(5)


def test_a_lock_that_nobody_waited_for_any_more_is_free_again(tmp_path: Path) -> None:
    first, second, third = (FileLock(tmp_path / "lock") for _ in range(3))
    assert first.acquire(0)
    assert not second.acquire(0.01)
    first.release()
    assert third.acquire(5)
    third.release()
    assert second.acquire(5)


def test_a_killed_holder_leaves_the_lock_to_who_waits(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with running(LOCK, tmp_path / "lock") as process:
        assert not lock.acquire(0.01)
        process.kill()
        assert lock.acquire(5)


FORK = """
import os
import sys
from pathlib import Path
from fastapi_taskflow_sqlite.lock import FileLock
path, how = Path(sys.argv[1]), sys.argv[2]
lock, other = FileLock(path), FileLock(path)
if how == "queued":
    assert other.acquire(0) and not lock.acquire(0)
    other.release()
assert lock.acquire(5)
if not os.fork():
    os.read(0, 1)
    os._exit(0)
if how != "killed":
    lock.release()
print("ready", flush=True)
os.read(0, 1)
"""


@pytest.mark.parametrize("how", ["at once", "queued", "killed"])
def test_a_child_does_not_keep_the_lock_that_its_parent_had(tmp_path: Path, how: str) -> None:
    lock = FileLock(tmp_path / "lock")
    with running(FORK, tmp_path / "lock", how) as process:
        if how == "killed":
            process.kill()
            process.wait()
        assert lock.acquire(5)


NUMBERS = """
import os
import sys
from pathlib import Path
from fastapi_taskflow_sqlite.lock import FileLock
lock = FileLock(Path(sys.argv[1]))
assert lock.acquire(1)
if (child := os.fork()):
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
others = [os.open(os.devnull, os.O_RDONLY) for _ in range(3)]  # one has the number of the lock file
lock.close()
for each in others:
    os.fstat(each)
"""


def test_a_child_that_closes_what_its_parent_had_closes_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NUMBERS, str(tmp_path / "lock")]
    subprocess.run(command, check=True, timeout=20)


LIVE = """
import asyncio
import sys
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_testkit.builders import a_beat, a_task, put

async def main():
    backend = SqliteBackend(sys.argv[1])
    await backend.open()
    await backend.beat(a_beat("b"))
    await put(backend, a_task(task_id="left behind", owner="b", persist=True))
    print("ready", flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


async def test_work_of_a_killed_process_is_claimed_at_once(
    backend: SqliteBackend, path: Path
) -> None:
    wanted = Claim("a", frozenset({FUNCTION}))
    await backend.beat(a_beat("a"))
    with running(LIVE, path) as process:
        assert await backend.claim(wanted) == []
        process.kill()
        process.wait()
        assert [it.task_id for it in await backend.claim(wanted)] == ["left behind"]
    assert [it.instance for it in await backend.instances()] == ["a"]


def test_a_program_ends_although_nobody_closed_its_backend(path: Path) -> None:
    program = LIVE.replace("sys.stdin.read()", "").replace('print("ready", flush=True)', "")
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=20)


async def test_a_claim_that_fails_does_not_forget_who_is_gone(
    backend: SqliteBackend, path: Path
) -> None:
    dead = backend.another()
    await dead.open()
    await dead.beat(a_beat("b"))
    await dead.close()
    await put(backend, a_task(persist=True, owner=None))
    with closing(sqlite3.connect(path)) as meddler:
        meddler.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON taskflow_tasks"
            " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
        with pytest.raises(BackendError):
            await backend.claim(Claim("a", frozenset({FUNCTION})))
        meddler.execute("DROP TRIGGER full")
    assert [it.living for it in await backend.instances()] == [False]
    assert len(await backend.claim(Claim("a", frozenset({FUNCTION})))) == 1
    assert await backend.instances() == []
