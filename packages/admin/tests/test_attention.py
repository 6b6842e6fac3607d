"""What the overview asks somebody to look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fake_manager import NOON, FakeManager, FakeSchedules, task

from fastapi_taskflow_admin.pages import attention
from fastapi_taskflow_core.backends.base import Beat, InstanceInfo
from fastapi_taskflow_core.backends.scheduling import Slot, SlotOutcome
from fastapi_taskflow_core.engine.queues import QueueStats
from fastapi_taskflow_core.records import TaskStatus


def queue(waiting: int, *, most: int | None = 10, paused: bool = False) -> QueueStats:
    return QueueStats("mail", 2, most, paused, 0, waiting, 0)


@pytest.mark.parametrize(
    ("stats", "words"),
    [
        (queue(10), ["is full: 10 of 10 wait"]),
        (queue(8), ["is nearly full: 8 of 10 wait"]),
        (queue(7), []),
        (queue(500, most=None), []),
        (queue(1, paused=True), ["is paused while 1 wait"]),
        (queue(0, paused=True), []),
        (queue(0, most=0), []),
    ],
)
def test_queues_that_refuse_or_soon_will(stats: QueueStats, words: list[str]) -> None:
    found = list(attention.of_queues([stats]))
    assert [each.words for each in found] == words
    assert all(each.href == "/queues?q=mail" for each in found)


@pytest.mark.parametrize(
    ("ago", "outcome", "paused", "words"),
    [
        (3_000, SlotOutcome.FIRED, False, []),
        (3_661, SlotOutcome.FIRED, False, ["is late"]),
        (9_000, SlotOutcome.FIRED, True, []),
        (100, SlotOutcome.MISFIRED, False, ["missed its last slot"]),
    ],
)
def test_schedules_that_did_not_run(
    ago: int, outcome: SlotOutcome, paused: bool, words: list[str]
) -> None:
    slot = Slot("report", NOON - timedelta(seconds=ago), outcome)
    info = replace(FakeSchedules().report, last=[slot], paused=paused)
    assert [each.words for each in attention.of_schedules([info], NOON)] == words


@pytest.mark.parametrize(
    ("age", "living", "words"),
    [
        (3.0, True, []),
        (12.0, True, ["is silent, last heard of 12.0 s ago"]),
        (90.0, False, ["is dead, last heard of 1 min 30 s ago"]),
    ],
)
def test_instances_that_are_not_heard_of(age: float, living: bool, words: list[str]) -> None:
    info = InstanceInfo(
        "web-1", "host", 42, "1", NOON, age, living, 0, 0, 0.0, draining=False, lease=15
    )
    assert [each.words for each in attention.of_instances([info])] == words


async def test_the_overview_names_them(client: httpx.AsyncClient, manager: FakeManager) -> None:
    await manager.hold(task(1, TaskStatus.FAILED, error="ValueError: 7"))
    await manager.backend.beat(Beat("web-1", "far", 42, "1", NOON, timedelta(seconds=15)))
    manager.pause_queue("mail")
    page = (await client.get("/tasks/dashboard")).text
    assert "ValueError: 7" in page
    assert "No tasks yet" not in page
    manager.clock.turn(hours=2)
    page = (await client.get("/tasks/dashboard")).text
    assert "Schedule report" in page
    assert "is late" in page
