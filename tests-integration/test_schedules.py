"""Schedules of several real processes that share one storage, some of which are killed.

``TASKFLOW_SOAK=1`` takes the numbers of the promise: eight processes, sixty slots.
"""

import asyncio
import itertools
import os
import random
import statistics
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
from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_core.records import TaskRecord, TaskStatus
from fastapi_taskflow_testkit.servers import missing
from places import KINDS, Place, place

PROCESSES, SLOTS, EVERY = (8, 60, 1.0) if os.environ.get("TASKFLOW_SOAK") else (3, 20, 0.5)
FAKETIME = os.environ.get(
    "TASKFLOW_FAKETIME", "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
)
PROGRAM = """
import asyncio, os, signal
from fastapi_taskflow import TaskManager, get_task_context

manager = TaskManager(snapshot_backend=os.environ["TASKS_URL"], drain_timeout=2, lease=2)
ledger = os.open("ledger", os.O_APPEND | os.O_CREAT | os.O_WRONLY)

@manager.schedule(every=float(os.environ["EVERY"]))
async def tick() -> None:
    os.write(ledger, (get_task_context().tags["slot"] + "\\n").encode())

async def main() -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    open(f"ready-{os.getpid()}", "w").close()
    await manager.startup()
    await over.wait()
    await manager.shutdown()

asyncio.run(main())
"""
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest) -> Iterator[Place]:
    with place(request.param) as where:
        yield where


@pytest.fixture
def file() -> Iterator[Place]:
    with place("sqlite") as where:
        yield where


@contextmanager
def processes(folder: Path, store: Place) -> Iterator[Start]:
    """Starts instances in *folder* that share *store*; none is left at the end."""
    (folder / "instance.py").write_text(PROGRAM)
    with ExitStack() as running:

        def start(**environment: str) -> "subprocess.Popen[bytes]":
            process = subprocess.Popen(
                [sys.executable, "instance.py"],
                cwd=folder,
                env={
                    **os.environ,
                    "TASKS_URL": store.url,
                    "EVERY": str(EVERY),
                    **environment,
                },
            )
            running.callback(process.wait, 20)
            running.callback(process.kill)
            return process

        yield start


def ran(folder: Path) -> Counter[str]:
    """How often the function ran for each slot."""
    ledger = folder / "ledger"
    return Counter(ledger.read_text().split() if ledger.exists() else [])


def until_slots_ran(folder: Path, number: int, within: float = 120) -> None:
    deadline = time.monotonic() + within
    while len(ran(folder)) < number:
        assert time.monotonic() < deadline, f"{len(ran(folder))} of {number} slots ran"
        time.sleep(0.1)


def settled(store: Place) -> list[tuple[Slot, TaskRecord | None]]:
    """The slots with their tasks, the oldest first."""

    async def read() -> list[tuple[Slot, TaskRecord | None]]:
        backend = backend_from_url(store.url)
        await backend.open()
        slots = reversed(await backend.slots("tick", 1000))
        found = [
            (slot, await backend.get(slot.task_id) if slot.task_id else None) for slot in slots
        ]
        await backend.close()
        return found

    return asyncio.run(read())


def stop(folder: Path, *instances: "subprocess.Popen[bytes]") -> None:
    for instance in instances:
        while not (folder / f"ready-{instance.pid}").exists():
            time.sleep(0.05)  # it has just been started
        instance.terminate()
    assert [instance.wait(20) for instance in instances] == [0] * len(instances)


@pytest.mark.timeout(240)
def test_each_slot_runs_once_though_instances_are_killed(tmp_path, store):
    with processes(tmp_path, store) as start:
        instances = [start() for _ in range(PROCESSES)]
        kills = 0
        for number in range(3, SLOTS, 4):
            until_slots_ran(tmp_path, number)
            time.sleep(random.random() * EVERY)  # any moment of a slot will do
            chosen = random.randrange(PROCESSES)
            instances[chosen].kill()
            instances[chosen] = start()
            kills += 1
        until_slots_ran(tmp_path, SLOTS)
        stop(tmp_path, *instances)
    found = settled(store)
    slots = [slot for slot, _ in found]
    for number, (before, slot) in enumerate(itertools.pairwise(slots), start=1):
        # Of a longer pause, as only a busy machine makes, nine that were missed are kept.
        missed = {each.outcome for each in slots[number : number + 9]} == {SlotOutcome.MISFIRED}
        assert missed or slot.at - before.at == timedelta(seconds=EVERY)
    runs = ran(tmp_path)
    for slot, task in found:
        if slot.outcome is SlotOutcome.FIRED:
            # One that was killed between its start and its first line must not start again,
            # and what is still to run has not been claimed from the dead.
            done = task.status is TaskStatus.SUCCESS
            assert runs[slot.at.isoformat()] == 1 if done else runs[slot.at.isoformat()] <= 1
    outcomes = Counter(slot.outcome.value for slot in slots)
    print(f"{dict(outcomes)}, {kills} kills, ran {runs.total()}, twice 0")
    assert set(runs.values()) == {1}
    assert runs.total() >= SLOTS
    lost = [task for _, task in found if task is not None and not task.status.finished]
    assert len(lost) <= kills


def test_of_a_pause_of_all_processes_the_latest_slot_is_made_up_for(tmp_path, file):
    with processes(tmp_path, file) as start:
        first = start()
        until_slots_ran(tmp_path, 2)
        first.kill()
        first.wait(20)
        before = len(ran(tmp_path))
        time.sleep(5 * EVERY)  # the pause
        second = start()
        until_slots_ran(tmp_path, before + 2)
        stop(tmp_path, second)
    outcomes = [slot.outcome for slot, _ in settled(file)]
    missed = outcomes.count(SlotOutcome.MISFIRED)
    assert missed >= 3
    assert outcomes[outcomes.index(SlotOutcome.MISFIRED) + missed] is SlotOutcome.FIRED
    assert set(ran(tmp_path).values()) == {1}


@pytest.mark.timeout(240)
def test_each_slot_runs_once_though_clocks_are_half_a_minute_apart(tmp_path, store):
    if not Path(FAKETIME).exists():
        missing("libfaketime", "apt-get install libfaketime, or set TASKFLOW_FAKETIME to its path")
    with processes(tmp_path, store) as start:
        instances = [
            start(LD_PRELOAD=FAKETIME, FAKETIME=offset, DONT_FAKE_MONOTONIC="1")
            for offset in ("+0s", "-15s", "+15s")
        ]
        until_slots_ran(tmp_path, SLOTS // 2)
        stop(tmp_path, *instances)
    found = settled(store)
    assert {slot.outcome for slot, _ in found} <= {SlotOutcome.FIRED, SlotOutcome.MISFIRED}
    fired = {slot.at.isoformat(): task for slot, task in found if task is not None}
    runs = ran(tmp_path)
    assert set(runs.values()) == {1}
    # What was settled while the instances stopped waits for the next one to start.
    assert runs.keys() == {at for at, task in fired.items() if task.status is TaskStatus.SUCCESS}
    assert {task.status for task in fired.values()} <= {TaskStatus.SUCCESS, TaskStatus.PENDING}


def late(store: Place) -> list[float]:
    """By how many seconds the slots that ran were late."""
    return [
        (task.start_time - slot.at).total_seconds()
        for slot, task in settled(store)
        if task is not None and task.start_time is not None
    ]


@pytest.mark.parametrize("delay", [0.0, 0.35])
def test_a_slot_runs_soon_after_its_moment(tmp_path, file, delay):
    time.sleep(delay)  # whatever the moment of the start
    with processes(tmp_path, file) as start:
        instance, slots = start(), 4
        until_slots_ran(tmp_path, slots)
        # Busy machines are late now and then; a slot that waits for a look of somebody always is.
        while statistics.median(late(file)) >= 0.1 and slots < 100:
            slots += 1
            until_slots_ran(tmp_path, slots)
        stop(tmp_path, instance)
    print(f"late by {[round(each * 1000) for each in late(file)]} ms")
    assert slots < 100
