"""Slots: each moment of a schedule is settled once."""

from __future__ import annotations

import asyncio

from fastapi_taskflow_core.backends.base import Backend
from fastapi_taskflow_core.backends.scheduling import SLOTS_KEPT, Slot, SlotOutcome

from ..builders import HOUR, ME, SECOND, a_task, claim, now


def a_slot(schedule: str = "report", ago: int = 10, **changes: object) -> Slot:
    """A slot some seconds ago."""
    at = now().replace(microsecond=0) - ago * SECOND
    return Slot(schedule, **{"at": at, "outcome": SlotOutcome.FIRED, **changes})  # type: ignore[arg-type]


async def test_a_slot_is_settled_once(backend: Backend, second: Backend) -> None:
    slot = a_slot()
    assert await backend.fire(slot)
    assert not await second.fire(slot)
    assert not await backend.fire(Slot(slot.schedule, slot.at, SlotOutcome.SKIPPED))
    assert await second.slots(slot.schedule) == [slot]


async def test_of_many_who_settle_a_slot_one_does(backend: Backend, second: Backend) -> None:
    slot = a_slot()
    fired = [a_task(owner=None, persist=True) for _ in range(64)]
    won = await asyncio.gather(
        *((backend, second)[i % 2].fire(slot, task) for i, task in enumerate(fired))
    )
    assert sum(won) == 1
    assert [task.task_id for task in await claim(second, ME)] == [fired[won.index(True)].task_id]


async def test_slots_of_two_schedules_are_two(backend: Backend) -> None:
    slot = a_slot("Report")
    assert await backend.fire(slot)
    assert await backend.fire(Slot("report", slot.at, SlotOutcome.FIRED))
    assert await backend.fire(Slot("r\u00e9port", slot.at, SlotOutcome.FIRED))


async def test_a_slot_to_come_is_not_settled(backend: Backend) -> None:
    task = a_task(owner=None)
    assert not await backend.fire(a_slot(ago=-60), task)
    assert await backend.slots("report") == []
    assert await backend.get(task.task_id) is None


async def test_the_task_of_a_slot_can_be_claimed(backend: Backend, second: Backend) -> None:
    task = a_task(owner=None, source="scheduled", persist=True, payload=b"{}")
    assert await backend.fire(a_slot(task_id=task.task_id), task)
    (claimed,) = await claim(second, ME)
    assert (claimed.task_id, claimed.source, claimed.payload) == (task.task_id, "scheduled", b"{}")


async def test_a_slot_settled_before_leaves_no_task(backend: Backend) -> None:
    slot, task = a_slot(), a_task(owner=None)
    await backend.fire(slot)
    assert not await backend.fire(slot, task)
    assert await backend.get(task.task_id) is None


async def test_the_newest_slots_are_listed_first(backend: Backend) -> None:
    slots = [
        a_slot(ago=30, outcome=SlotOutcome.SKIPPED),
        a_slot(ago=20, outcome=SlotOutcome.MISFIRED),
        a_slot(ago=10, outcome=SlotOutcome.OVERLAPPED),
    ]
    for slot in slots:
        await backend.fire(slot)
    await backend.fire(a_slot("another"))
    assert await backend.slots("report") == slots[::-1]
    assert await backend.slots("report", limit=2) == slots[:0:-1]


async def test_slots_of_long_ago_are_forgotten(backend: Backend) -> None:
    old = a_slot(at=now() - SLOTS_KEPT - HOUR)
    kept = a_slot("another", at=old.at)
    new = a_slot()
    for slot in (old, kept, new):
        assert await backend.fire(slot)
    assert await backend.slots("report") == [new]
    assert await backend.slots("another") == [kept]
