"""Slots fire at their time, once, whatever clocks and storage do."""

import asyncio
from datetime import timedelta

import pytest

from fastapi_taskflow_core import TaskStatus
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_testkit.clock import NOON, VirtualClock


async def test_slots_are_multiples_of_the_interval_since_the_epoch(world):
    await world.passes(7)
    await world.started(every=20)
    await world.passes(60)
    assert world.times() == ["12:00:20", "12:00:40", "12:01:00"]


async def test_cron_slots_fire_by_the_clocks_of_their_zone(world):
    await world.started(cron="1 13 * * *", timezone="Europe/Berlin")
    await world.passes(120)
    assert world.times() == ["12:01:00"]


async def test_a_run_is_an_ordinary_task_that_says_where_it_comes_from(world):
    manager = await world.started(every=60)
    await world.passes(60)
    task = await manager.history.get((await world.tasks())[0].task_id)
    assert (task.func_name, task.source, task.status) == ("tick", "scheduled", TaskStatus.SUCCESS)
    assert task.tags == {"slot": "2026-03-01T12:01:00+00:00"}


async def test_schedules_need_nothing_that_outlives_the_process(world):
    world.storage = MemoryBackend(clock=world.clock)
    await world.started(every=10)
    await world.passes(20)
    assert world.times() == ["12:00:10", "12:00:20"]


async def test_each_slot_fires_once_over_several_managers(world):
    for _ in range(3):
        await world.started(every=10)
    await world.passes(60)
    assert len(world.runs) == 6
    assert [outcome for _, outcome in await world.slots()] == ["fired"] * 6


async def test_of_ten_thousand_schedules_at_rest_one_timer_waits(world):
    manager = world.manager()
    for number in range(10_000):
        manager.schedule(every=86_400 + number, name=f"job {number}")(_nothing)
    await manager.startup()
    await world.passes(1)
    while world.clock.pending > 2:
        await world.passes(0.1)
    before = world.storage.fired
    await world.passes(600, step=30)
    assert world.storage.fired == before
    assert world.clock.pending <= 2


async def _nothing() -> None: ...


async def test_jitter_is_the_same_everywhere_and_stays_below_its_bound(world):
    await world.started(every=60, jitter=30)
    await world.started(every=60, jitter=30)
    await world.passes(600)
    late = [at.second for at in world.runs]
    assert len(late) in {9, 10}
    assert max(late) <= 30
    assert len(set(late)) > 3


async def test_nothing_fires_before_start_or_after_end(world):
    start, end = NOON + timedelta(seconds=30), NOON + timedelta(seconds=50)
    await world.started(every=10, start=start, end=end)
    await world.passes(90)
    assert world.times() == ["12:00:30", "12:00:40", "12:00:50"]


async def test_a_schedule_that_comes_later_runs_too(world):
    manager = await world.started(every=3600)
    manager.schedule(every=10, name="late")(_nothing)
    await world.passes(20)
    assert [task.func_name for task in await world.tasks()] == ["late", "late"]


# Paused, run by hand, run at the start.


async def test_slots_of_a_paused_schedule_are_skipped_on_every_instance(world):
    one, other = await world.started(every=10), await world.started(every=10)
    await one.schedules.pause("tick")
    await world.passes(20)
    assert (await other.schedules.get("tick")).paused
    await other.schedules.resume("tick")
    await world.passes(10)
    assert [outcome for _, outcome in await world.slots()] == ["skipped", "skipped", "fired"]


async def test_a_schedule_runs_by_hand_even_when_paused(world):
    manager = await world.started(every=3600)
    await manager.schedules.pause("tick")
    task_id = await manager.schedules.run("tick")
    await world.passes(1)
    task = await manager.history.get(task_id)
    assert (task.source, task.status) == ("scheduled", TaskStatus.SUCCESS)
    assert await world.slots() == []


async def test_a_start_of_several_instances_runs_once_and_the_next_start_again(world):
    managers = [await world.started(every=3600, run_on_startup=True) for _ in range(3)]
    await world.passes(5)
    assert len(world.runs) == 1
    for manager in managers:
        await manager.shutdown()
    await world.started(every=3600, run_on_startup=True)
    assert len(world.runs) == 2


# What was missed.


@pytest.mark.parametrize(
    ("options", "ran"),
    [
        ({}, 1),
        ({"misfire": "latest", "misfire_grace": 10}, 0),
        ({"misfire": "latest", "misfire_grace": 50}, 1),
        ({"misfire": "all"}, 100),
        ({"misfire": "all", "misfire_grace": 599}, 10),
        ({"misfire": "skip"}, 0),
    ],
    ids=str,
)
async def test_slots_missed_while_nothing_ran_are_made_up_for_by_the_policy(world, options, ran):
    first = await world.started(every=60, **options)
    await world.passes(60)
    await first.shutdown()
    world.runs.clear()
    world.clock.advance(100 * 60 + 30)
    await world.started(every=60, **options)
    assert len(world.runs) == ran
    outcomes = [outcome for _, outcome in await world.slots()][1:]
    assert outcomes.count("fired") == ran
    assert outcomes.count("misfired") <= 10


async def test_a_slot_missed_before_the_first_run_ever_is_made_up_for(world):
    first = await world.started(every=3600)
    await first.shutdown()
    world.clock.advance(3700)
    await world.started(every=3600)
    assert await world.slots() == [("13:00:00", "fired")]


async def test_slots_of_a_new_definition_are_not_missed_before_it_came(world):
    first = await world.started(every=3600)
    await world.passes(3600, step=60)
    await first.shutdown()
    world.clock.advance(1800)
    await world.started(every=60)
    assert await world.slots() == [("13:00:00", "fired")]


# Runs that take longer than the distance of slots.


async def long_runs(world, **options):
    manager = world.manager()

    @manager.schedule(every=10, name="tick", **options)
    async def tick() -> None:
        world.runs.append(world.clock.now())
        await until(world.clock, 25)

    await manager.startup()
    await world.passes(65)


async def until(clock, seconds):
    over = asyncio.Event()
    clock.call_later(seconds, over.set)
    await over.wait()


async def test_runs_overlap_when_they_may(world):
    await long_runs(world, overlap="allow")
    assert len(world.runs) == 6


async def test_slots_are_skipped_while_the_run_before_goes_on(world):
    await long_runs(world, overlap="skip")
    assert world.times() == ["12:00:10", "12:00:40"]
    assert [outcome for _, outcome in await world.slots()] == [
        "fired",
        "overlapped",
        "overlapped",
    ] * 2


async def test_one_slot_waits_until_the_run_before_is_over(world):
    await long_runs(world, overlap="queue")
    assert world.times() == ["12:00:10", "12:00:36", "12:01:02"]
    assert await world.slots() == [
        ("12:00:10", "fired"),
        ("12:00:20", "overlapped"),
        ("12:00:30", "fired"),
        ("12:00:40", "overlapped"),
        ("12:00:50", "overlapped"),
        ("12:01:00", "fired"),
    ]


async def test_every_slot_waits_its_turn_if_all_are_made_up_for(world):
    await long_runs(world, overlap="queue", misfire="all")
    assert await world.slots() == [
        ("12:00:10", "fired"),
        ("12:00:20", "fired"),
        ("12:00:30", "fired"),
    ]


# Clocks and storage.


async def test_a_clock_set_forward_does_not_flood(world):
    await world.started(every=60)
    world.clock.set_wall(world.clock.now().replace(day=2))
    await world.passes(60)
    assert world.times() == ["12:00:30", "12:01:00"]


async def test_a_clock_set_back_does_not_stall(world):
    await world.started(every=60)
    await world.passes(60)
    world.clock.set_wall(world.clock.now().replace(hour=6))
    await world.passes(180)
    assert world.times() == ["12:01:00", "06:02:00", "06:03:00", "06:04:00"]


async def test_slots_that_come_again_do_not_fire_again(world):
    await world.started(every=60)
    await world.passes(300)
    world.clock.set_wall(NOON)
    await world.passes(360)
    assert len(world.runs) == 6
    assert len(set(await world.slots())) == 6


async def test_clocks_half_a_minute_apart_leave_each_slot_to_one_of_them(world):
    world.storage.shared = True
    clocks = [VirtualClock(NOON + timedelta(seconds=ahead)) for ahead in (-15, 15)]
    for clock in clocks:
        manager = world.manager(clock)
        manager.schedule(every=10, name="tick")(_nothing)
        await manager.startup()
    for _ in range(60):
        for clock in clocks:
            clock.advance(1)
        await world.passes(1)
    assert await world.slots() == [
        (f"12:{second // 60:02}:{second % 60:02}", "fired") for second in range(10, 61, 10)
    ]


async def test_a_slot_is_on_time_though_the_only_clock_is_fast(world):
    world.storage.shared = True
    clock = VirtualClock(NOON + timedelta(seconds=15))
    manager = world.manager(clock)
    manager.schedule(every=60, name="tick", misfire="skip")(_nothing)
    await manager.startup()
    for _ in range(90):
        clock.advance(1)
        await world.passes(1)
    assert await world.slots() == [("12:01:00", "fired")]


async def test_when_the_storage_is_back_slots_fire_again(world, caplog):
    await world.started(every=5)
    world.storage.away = True
    await world.passes(12, step=0.1)
    world.storage.away = False
    await world.passes(10, step=0.1)
    assert [at for at, outcome in await world.slots() if outcome == "fired"] == [
        "12:00:10",
        "12:00:15",
        "12:00:20",
    ]
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1


async def test_one_schedule_that_cannot_be_settled_does_not_hold_up_the_others(world, caplog):
    manager = await world.started(every=5)
    manager.schedule(every=5, name="broken")(_nothing)
    await world.passes(5)
    world.storage.broken = {"broken"}
    await world.passes(20)
    assert len(world.runs) == 5
    assert "schedule 'broken' waits for a second" in caplog.text
