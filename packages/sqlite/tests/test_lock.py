"""Locks between processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fastapi_taskflow_core.backends.base import Claim
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_sqlite.lock import FileLock, LockFiles
from fastapi_taskflow_testkit.builders import FUNCTION, a_beat

LOCK = """
import sys
from pathlib import Path
from fastapi_taskflow_sqlite.lock import FileLock
lock = FileLock(Path(sys.argv[1]))
assert lock.acquire(1)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def running(program: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds something until it is killed."""
    command = [sys.executable, "-c", program, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


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


@pytest.mark.parametrize("instance", ["a", "../../etc", "ü/\0", ""])
def test_an_instance_may_have_any_name(tmp_path: Path, instance: str) -> None:
    files, others = LockFiles(tmp_path / "d"), LockFiles(tmp_path / "d")
    files.hold(instance)
    assert not others.gone(instance)
    files.release_all()
    assert others.gone(instance)
    others.forget(instance)
    assert list((tmp_path / "d").iterdir()) == []


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
    print("held", flush=True)
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
    program = LIVE.replace("sys.stdin.read()", "").replace('print("held", flush=True)', "")
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=20)
