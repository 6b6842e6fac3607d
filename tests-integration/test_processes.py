"""Worker processes of a real application: one is killed among ten."""

import os
import signal
import time
from pathlib import Path

from fleet import eventually

from fastapi_taskflow import TaskManager


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
    await eventually(lambda: all(map(written, files)), "ten are at work", 50)
    pids = [int(file.read_text()) for file in files]
    os.kill(pids[3], signal.SIGKILL)
    killed = await manager.wait(ids[3], 20)
    (tmp_path / "go").touch()
    others = [await manager.wait(task_id, 20) for task_id in ids if task_id != ids[3]]
    await manager.shutdown()
    assert killed.error == "WorkerDied: the worker process died while this task ran (signal 9)"
    assert [manager.result_of(task) for task in others] == [*pids[:3], *pids[4:]]
