"""Tasks in processes of their own: what comes back, and what happens when one dies."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from eventually import eventually

from fastapi_taskflow_core import (
    AbortTask,
    AttemptTimeout,
    RetryTask,
    TaskArgumentError,
    TaskManager,
    get_task_context,
    task_log,
    task_progress,
)
from fastapi_taskflow_core.backends.memory import MemoryBackend


class Awkward(Exception):
    """Cannot be sent back: it is made of two arguments, and says it has one."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def where() -> int:
    return os.getpid()


def speak(number: int, *, to: str) -> str:
    context = get_task_context()
    assert context is not None
    task_log("half way", extra_field={"a": 1}, odd=threading.Lock())
    task_progress(number, 10, "going on")
    return f"{context.func_name} {context.attempt} {context.tags} {number} {to}"


def fail(kind: str) -> None:
    raise {
        "value": ValueError("no"),
        "awkward": Awkward(1, 2),
        "abort": AbortTask("enough"),
        "retry": RetryTask(0),
    }[kind]


def die(file: Path) -> None:
    file.write_text(str(os.getpid()))
    time.sleep(60)


def leave() -> None:
    os._exit(3)


KEPT: list[bytes] = []


def eat() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, resource.RLIM_INFINITY))
    while True:  # until there is no room for anything
        try:
            KEPT.append(bytes(10_000_000))
        except MemoryError:
            KEPT.append(bytes(10_000))


def hang() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def speak_and_stay(folder: Path) -> None:
    task_log("I am here")
    while not (folder / "go").exists():
        time.sleep(0.01)


def linger() -> int:
    threading.Thread(target=time.sleep, args=(60,), daemon=False).start()
    return os.getpid()


def apply(call: Any, value: int) -> int:
    result: int = call(value)
    return result


def stop_iteration() -> None:
    raise StopIteration(7)


def unsendable() -> object:
    return threading.Lock()


@pytest.fixture
async def manager() -> AsyncIterator[TaskManager]:
    """A manager with at most two worker processes."""
    manager = TaskManager(max_process_workers=2, drain_timeout=0.2)
    yield manager
    await manager.startup()
    await manager.shutdown()


async def test_a_task_runs_in_another_process_and_returns_from_there(manager: TaskManager) -> None:
    manager.task(executor="process", keep_result=True)(where)
    tasks = [await manager.wait(await manager.enqueue(where), 30) for _ in range(2)]
    pids = {manager.result_of(task) for task in tasks}
    assert {task.executor for task in tasks} == {"process"}
    assert len(pids) == 1  # it was idle when the second came
    assert os.getpid() not in pids


async def test_what_a_task_says_and_asks_works_there_too(manager: TaskManager) -> None:
    manager.task(executor="process", keep_result=True)(speak)
    task_id = await manager.enqueue(speak, 7, to="you", tags={"a": "b"})
    task = await manager.wait(task_id, 30)
    assert manager.result_of(task) == "speak 0 {'a': 'b'} 7 you"
    assert task.progress is not None
    assert (task.progress.done, task.progress.total, task.progress.message) == (7, 10, "going on")
    (line,) = (await manager.history.get(task_id)).logs
    assert (line.message, line.level, line.attempt) == ("half way", "info", 0)
    assert line.extra is not None
    assert line.extra["extra_field"] == "{'a': 1}"


async def test_a_line_is_heard_while_the_task_goes_on(manager: TaskManager, tmp_path: Path) -> None:
    manager.task(executor="process")(speak_and_stay)
    task_id = await manager.enqueue(speak_and_stay, tmp_path)

    async def heard() -> bool:
        task = await manager.history.get(task_id)
        return [line.message for line in task.logs] == ["I am here"]

    await eventually(heard, 30)
    assert (await manager.history.get(task_id)).status == "running"
    (tmp_path / "go").touch()
    assert (await manager.wait(task_id, 30)).status == "success"


async def test_with_cloudpickle_a_lambda_may_be_an_argument(manager: TaskManager) -> None:
    pytest.importorskip("cloudpickle")
    manager.task(executor="process", keep_result=True)(apply)
    factor = 3
    task = await manager.wait(await manager.enqueue(apply, lambda value: value * factor, 7), 30)
    assert manager.result_of(task) == 21


async def test_a_worker_that_will_not_go_is_killed_after_its_time() -> None:
    manager = TaskManager(process_shutdown_timeout=0.2, drain_timeout=0.2)
    manager.task(executor="process", keep_result=True)(linger)
    await manager.startup()
    task = await manager.wait(await manager.enqueue(linger), 30)
    async with asyncio.timeout(30):  # its thread would keep it for a minute
        await manager.shutdown()
    assert not lives(manager.result_of(task))


async def test_an_exception_that_ends_loops_is_a_failure_all_the_same(manager: TaskManager) -> None:
    manager.task(executor="process")(stop_iteration)
    task = await manager.wait(await manager.enqueue(stop_iteration), 30)
    assert (task.status, task.error) == ("failed", "RuntimeError: the task raised StopIteration(7)")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("value", "ValueError: no"),
        ("awkward", "RemoteError: Awkward: 1 and 2"),
        ("abort", "AbortTask: enough"),
    ],
)
async def test_an_exception_comes_back_with_its_traceback(
    manager: TaskManager, kind: str, error: str
) -> None:
    manager.task(executor="process")(fail)
    task = await manager.wait(await manager.enqueue(fail, kind), 30)
    assert (task.status, task.error) == ("failed", error)
    assert task.stacktrace is not None
    assert "in fail\n" in task.stacktrace


async def test_an_exception_of_the_library_means_there_what_it_means_here(
    manager: TaskManager,
) -> None:
    manager.task(executor="process", retries=2)(fail)
    task = await manager.wait(await manager.enqueue(fail, "retry"), 30)
    assert (task.status, task.retries_used) == ("failed", 2)


async def test_a_worker_that_dies_fails_its_attempt_and_is_replaced(manager: TaskManager) -> None:
    manager.task(executor="process", retries=1)(leave)
    manager.task(executor="process", keep_result=True)(where)
    task = await manager.wait(await manager.enqueue(leave), 30)
    assert (task.status, task.retries_used) == ("failed", 1)
    assert task.error == "WorkerDied: the worker process died while this task ran (exit code 3)"
    assert (await manager.wait(await manager.enqueue(where), 30)).status == "success"


async def pid_in(file: Path) -> int:
    """The process that wrote its number into *file*."""

    async def written() -> bool:
        return file.exists() and file.read_text() != ""

    await eventually(written, 30)
    return int(file.read_text())


def lives(pid: int) -> bool:
    """Whether the process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_worker_harms_no_other(manager: TaskManager, tmp_path: Path) -> None:
    manager.task(executor="process")(die)
    manager.task(executor="process", keep_result=True)(where)
    killed = await manager.enqueue(die, tmp_path / "pid")
    os.kill(await pid_in(tmp_path / "pid"), signal.SIGKILL)
    other = await manager.wait(await manager.enqueue(where), 30)
    task = await manager.wait(killed, 30)
    assert (task.status, other.status) == ("failed", "success")
    assert task.error == "WorkerDied: the worker process died while this task ran (signal 9)"


async def test_a_cancelled_task_has_its_worker_killed(manager: TaskManager, tmp_path: Path) -> None:
    manager.task(executor="process")(die)
    task_id = await manager.enqueue(die, tmp_path / "pid")
    pid = await pid_in(tmp_path / "pid")
    await manager.cancel(task_id)
    assert (await manager.wait(task_id, 30)).status == "cancelled"

    async def gone() -> bool:
        return not lives(pid)

    await eventually(gone)


async def test_an_attempt_that_takes_too_long_has_its_worker_killed(
    manager: TaskManager, tmp_path: Path
) -> None:
    manager.task(executor="process", keep_result=True)(where)
    manager.task(executor="process", timeout=0.5)(die)
    worker = manager.result_of(await manager.wait(await manager.enqueue(where), 30))
    task = await manager.wait(await manager.enqueue(die, tmp_path / "pid"), 30)
    assert task.status == "failed"
    assert task.error == f"AttemptTimeout: {AttemptTimeout(0.5)}"

    async def gone() -> bool:
        return not lives(worker)

    await eventually(gone)


async def test_a_worker_without_memory_fails_its_attempt_and_is_not_used_again(
    manager: TaskManager,
) -> None:
    manager.task(executor="process")(eat)
    manager.task(executor="process", keep_result=True)(where)
    worker = manager.result_of(await manager.wait(await manager.enqueue(where), 30))
    task = await manager.wait(await manager.enqueue(eat), 30)
    other = await manager.wait(await manager.enqueue(where), 30)
    assert task.status == "failed"
    assert other.status == "success"
    assert manager.result_of(other) != worker

    async def gone() -> bool:
        return not lives(worker)

    await eventually(gone)


async def test_a_worker_that_hangs_is_killed_when_its_time_is_over(
    manager: TaskManager,
) -> None:
    manager.task(executor="process", timeout=1)(hang)
    manager.task(executor="process", keep_result=True)(where)
    worker = manager.result_of(await manager.wait(await manager.enqueue(where), 30))
    hanging = await manager.enqueue(hang)
    assert (await manager.wait(hanging, 30)).error == f"AttemptTimeout: {AttemptTimeout(1)}"
    assert (await manager.wait(await manager.enqueue(where), 30)).status == "success"

    async def gone() -> bool:
        return not lives(worker)

    await eventually(gone)


async def test_a_stop_ends_every_worker(tmp_path: Path) -> None:
    kept = MemoryBackend()
    manager = TaskManager(snapshot_backend=kept, max_process_workers=2, drain_timeout=0.2)
    manager.task(executor="process")(die)
    manager.task(executor="process", keep_result=True)(where)
    await manager.startup()
    interrupted = await manager.enqueue(die, tmp_path / "pid")
    idle = manager.result_of(await manager.wait(await manager.enqueue(where), 30))
    busy = await pid_in(tmp_path / "pid")
    await manager.shutdown()
    task = await kept.get(interrupted)
    assert task is not None
    assert task.status == "interrupted"
    assert not lives(idle)
    assert not lives(busy)


@pytest.mark.parametrize("limit", [1, 2])
async def test_no_more_processes_run_than_allowed(tmp_path: Path, limit: int) -> None:
    manager = TaskManager(max_process_workers=limit)
    manager.task(executor="process", keep_result=True)(where)
    ids = [await manager.enqueue(where) for _ in range(4)]
    pids = {manager.result_of(await manager.wait(task_id, 30)) for task_id in ids}
    assert len(pids) <= limit
    await manager.startup()
    await manager.shutdown()


async def test_an_argument_that_cannot_be_sent_is_named_at_the_call(manager: TaskManager) -> None:
    manager.task(executor="process")(speak)
    with pytest.raises(TaskArgumentError, match="argument 'to' .* executor='process'"):
        await manager.enqueue(speak, 1, to=(_ for _ in ()))


async def test_a_result_that_cannot_be_sent_fails_the_task(manager: TaskManager) -> None:
    manager.task(executor="process", keep_result=True)(unsendable)
    task = await manager.wait(await manager.enqueue(unsendable), 30)
    assert task.status == "failed"
    assert "cannot pickle" in str(task.error)


async def test_a_function_that_is_not_found_there_says_so(manager: TaskManager) -> None:
    def renamed() -> None: ...

    renamed.__qualname__ = renamed.__name__ = "not_there"
    manager.task(executor="process")(renamed)
    task = await manager.wait(await manager.enqueue(renamed), 30)
    assert task.status == "failed"
    assert "not_there" in str(task.error)
