"""Worker processes of a real application: one is killed among ten."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fleet import eventually

from fastapi_taskflow import TaskManager
from fastapi_taskflow_testkit.family import living


def stay(folder: Path, number: int) -> int:
    """Say which process this is, and stay until told."""
    (folder / str(number)).write_text(str(os.getpid()))
    while not (folder / "go").exists():
        time.sleep(0.01)
    return os.getpid()


def written(file: Path) -> bool:
    return file.exists() and bool(file.read_text())


async def test_killing_one_of_ten_workers_fails_its_own_attempt_alone(tmp_path):
    manager = TaskManager(max_process_workers=10, drain_timeout=1)
    manager.task(executor="process", keep_result=True)(stay)
    await manager.startup()
    ids = [await manager.enqueue(stay, tmp_path, number) for number in range(10)]
    files = [tmp_path / str(number) for number in range(10)]
    await eventually(lambda: all(map(written, files)), "ten are at work")
    pids = [int(file.read_text()) for file in files]
    os.kill(pids[3], signal.SIGKILL)
    killed = await manager.wait(ids[3], 60)
    (tmp_path / "go").touch()
    others = [await manager.wait(task_id, 60) for task_id in ids if task_id != ids[3]]
    await manager.shutdown()
    assert killed.error == "WorkerDied: the worker process died while this task ran (signal 9)"
    assert [manager.result_of(task) for task in others] == [*pids[:3], *pids[4:]]


PARENT = """
import asyncio, sys
from pathlib import Path
from fastapi_taskflow import TaskManager
from test_processes import stay

async def main():
    manager = TaskManager()
    manager.task(executor="process")(stay)
    await manager.enqueue(stay, Path(sys.argv[1]), 0)
    await asyncio.sleep(60)

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_a_worker_ends_with_the_process_it_works_for(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parent / "faults")])
    parent = subprocess.Popen(  # noqa: ASYNC220  it takes a moment
        [sys.executable, tmp_path / "parent.py", tmp_path], env={**os.environ, "PYTHONPATH": path}
    )
    await eventually(lambda: written(tmp_path / "0"), "the worker is at work")
    parent.kill()
    parent.wait()
    worker = int((tmp_path / "0").read_text())
    await eventually(lambda: not living([worker]), "the worker is gone")
