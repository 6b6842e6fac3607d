"""Schedules of several real processes that share one file, some of which are killed."""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from fastapi_taskflow_core.backends.scheduling import Slot, SlotOutcome
from fastapi_taskflow_core.records import TaskStatus
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_testkit.servers import missing

SECOND = timedelta(seconds=1)
FAKETIME = os.environ.get(
    "TASKFLOW_FAKETIME", "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
)
PROGRAM = """
import asyncio, os, signal
from fastapi_taskflow import TaskManager, get_task_context

manager = TaskManager(snapshot_db="tasks.db", drain_timeout=2)
ledger = os.open("ledger", os.O_APPEND | os.O_CREAT | os.O_WRONLY)

@manager.schedule(every=1)
async def tick() -> None:
    os.write(ledger, (get_task_context().tags["slot"] + "\\n").encode())

async def main() -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await manager.startup()
    await over.wait()
    await manager.shutdown()

asyncio.run(main())
"""
Start = Callable[..., "subprocess.Popen[bytes]"]


@contextmanager
def processes(folder: Path) -> Iterator[Start]:
    """Starts instances in *folder*; none is left at the end."""
    (folder / "instance.py").write_text(PROGRAM)
    with ExitStack() as running:

        def start(**environment: str) -> "subprocess.Popen[bytes]":
            process = subprocess.Popen(
                [sys.executable, "instance.py"], cwd=folder, env={**os.environ, **environment}
            )
            running.callback(process.wait, 20)
            running.callback(process.kill)
            return process

        yield start


def ran(folder: Path) -> Counter[str]:
    """How often the function ran for each slot."""
    ledger = folder / "ledger"
    return Counter(ledger.read_text().split() if ledger.exists() else [])


def until_slots_ran(folder: Path, number: int, within: float = 40) -> None:
    deadline = time.monotonic() + within
    while len(ran(folder)) < number:
        assert time.monotonic() < deadline, f"{len(ran(folder))} of {number} slots ran"
        time.sleep(0.1)


def settled(folder: Path) -> tuple[list[Slot], dict[str, TaskStatus]]:
    """The slots, the oldest first, and the status of their tasks."""

    async def read() -> tuple[list[Slot], dict[str, TaskStatus]]:
        backend = SqliteBackend(folder / "tasks.db")
        await backend.open()
        slots = list(reversed(await backend.slots("tick", 1000)))
        tasks = [await backend.get(slot.task_id) for slot in slots if slot.task_id]
        await backend.close()
        return slots, {task.task_id: task.status for task in tasks if task}

    return asyncio.run(read())


def stop(*instances: "subprocess.Popen[bytes]") -> None:
    for instance in instances:
        instance.terminate()
    assert [instance.wait(20) for instance in instances] == [0] * len(instances)


def test_each_slot_runs_once_though_instances_are_killed(tmp_path):
    with processes(tmp_path) as start:
        instances = [start() for _ in range(3)]
        kills = 0
        for number in range(3, 16, 3):
            until_slots_ran(tmp_path, number)
            time.sleep(random.random())  # any moment of a slot will do
            chosen = random.randrange(3)
            instances[chosen].kill()
            instances[chosen] = start()
            kills += 1
        until_slots_ran(tmp_path, 18)
        stop(*instances)
    slots, statuses = settled(tmp_path)
    assert all(later.at - slot.at == SECOND for slot, later in zip(slots, slots[1:], strict=False))
    assert {slot.outcome for slot in slots} == {SlotOutcome.FIRED}
    runs = ran(tmp_path)
    for slot in slots:
        # One that was killed between its start and its first line must not start again.
        cut_off = statuses[slot.task_id] is TaskStatus.INTERRUPTED
        assert runs[slot.at.isoformat()] == 1 or (cut_off and not runs[slot.at.isoformat()])
    print(f"{len(slots)} slots, {kills} kills, ran {runs.total()}, twice 0")


def test_of_a_pause_of_all_processes_the_latest_slot_is_made_up_for(tmp_path):
    with processes(tmp_path) as start:
        first = start()
        until_slots_ran(tmp_path, 2)
        first.kill()
        first.wait(20)
        before = len(ran(tmp_path))
        time.sleep(5)  # the pause
        second = start()
        until_slots_ran(tmp_path, before + 2)
        stop(second)
    slots, _ = settled(tmp_path)
    outcomes = [slot.outcome for slot in slots]
    missed = outcomes.count(SlotOutcome.MISFIRED)
    assert 3 <= missed <= 10
    assert outcomes[outcomes.index(SlotOutcome.MISFIRED) + missed] is SlotOutcome.FIRED
    assert set(ran(tmp_path).values()) == {1}


def test_each_slot_runs_once_though_clocks_are_half_a_minute_apart(tmp_path):
    if not Path(FAKETIME).exists():
        missing("libfaketime", "apt-get install libfaketime, or set TASKFLOW_FAKETIME to its path")
    with processes(tmp_path) as start:
        instances = [
            start(LD_PRELOAD=FAKETIME, FAKETIME=offset, DONT_FAKE_MONOTONIC="1")
            for offset in ("+0s", "-15s", "+15s")
        ]
        until_slots_ran(tmp_path, 10)
        stop(*instances)
    slots, _ = settled(tmp_path)
    assert {slot.outcome for slot in slots} <= {SlotOutcome.FIRED, SlotOutcome.MISFIRED}
    fired = {slot.at.isoformat() for slot in slots if slot.outcome is SlotOutcome.FIRED}
    assert ran(tmp_path) == Counter(fired)


@pytest.mark.parametrize("delay", [0.0, 0.35])
def test_a_slot_runs_soon_after_its_moment(tmp_path, delay):
    time.sleep(delay)  # whatever the moment of the start
    with processes(tmp_path) as start:
        instance = start()
        until_slots_ran(tmp_path, 4)
        stop(instance)
    slots, _ = settled(tmp_path)

    async def lateness() -> list[float]:
        backend = SqliteBackend(tmp_path / "tasks.db")
        await backend.open()
        tasks = [(slot, await backend.get(slot.task_id)) for slot in slots if slot.task_id]
        await backend.close()
        return sorted((task.start_time - slot.at).total_seconds() for slot, task in tasks)

    late = asyncio.run(lateness())
    print(f"late by {[round(each * 1000) for each in late]} ms")
    assert late[len(late) // 2] < 0.1
