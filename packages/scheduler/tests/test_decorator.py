"""What may be said of a schedule, and what one answers when asked about it."""

from datetime import UTC, datetime, timedelta

import pytest

from fastapi_taskflow_core import ScheduleNotFound, TaskManager, TaskStatus
from fastapi_taskflow_scheduler import Every

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def report() -> None: ...


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "exactly one of every= and cron=, got neither"),
        ({"every": 60, "cron": "0 2 * * *"}, "got both"),
        ({"every": 0}, "every must be .*more than 0, got 0"),
        ({"every": -5}, "every must be .*got -5"),
        ({"every": float("inf")}, "every must be a finite"),
        ({"every": 1e-9}, "every must be at least 0.001"),
        ({"every": 1e300}, "every is too long"),
        ({"every": 60, "timezone": "Europe/Berlin"}, "timezone goes with cron="),
        ({"every": 60, "jitter": 60}, "jitter must be less than every"),
        ({"every": 60, "jitter": -1}, "jitter"),
        ({"every": 60, "misfire": "never"}, "misfire must be one of 'latest', 'all', 'skip'"),
        ({"every": 60, "misfire_grace": -1}, "misfire_grace"),
        ({"every": 60, "overlap": "replace"}, "overlap must be one of"),
        ({"every": 60, "start": NOW.replace(tzinfo=None)}, "start must be an aware datetime"),
        ({"every": 60, "start": NOW, "end": NOW - timedelta(1)}, "end must not be before start"),
        (
            {"every": 86_400, "start": NOW, "end": NOW + timedelta(hours=1)},
            "no slot between start",
        ),
        ({"every": 60, "retries": -1}, "retries"),
        ({"every": 60, "executor": "thread"}, "executor='thread' needs a def"),
        ({"cron": "61 * * * *"}, "minute '61'"),
        ({"cron": "0 2 * * *", "timezone": "Berlin"}, "timezone 'Berlin'"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_at_the_decorator(options, said):
    manager = TaskManager()
    with pytest.raises(ValueError, match=said):
        manager.schedule(**options)(report)


@pytest.mark.parametrize("options", [{"every": "60"}, {"every": True}, {"cron": 5}])
def test_the_wrong_kind_is_refused_at_the_decorator(options):
    with pytest.raises(TypeError, match=next(iter(options))):
        TaskManager().schedule(**options)


def test_a_function_that_needs_arguments_is_refused():
    with pytest.raises(ValueError, match="greet.. is missing a required argument: 'whom'"):

        @TaskManager().schedule(every=60)
        async def greet(whom: str) -> None: ...


def test_a_function_has_one_schedule_under_each_name():
    manager = TaskManager()
    assert manager.schedule(every=60)(report) is report
    manager.schedule(every=3600, name="hourly report")(report)
    with pytest.raises(ValueError, match="'report' has a schedule already"):
        manager.schedule(every=7)(report)


async def test_a_scheduled_function_is_an_ordinary_task_too(world):
    manager = await world.started(every=3600)
    manager.schedule(every=3600)(report)
    task_id = await manager.enqueue(report)
    await world.passes(1)
    task = await manager.history.get(task_id)
    assert (task.source, task.status) == ("manual", TaskStatus.SUCCESS)


async def test_a_failing_run_is_tried_again_as_the_options_say(world):
    manager, attempts = world.manager(), []

    @manager.schedule(every=60, retries=1, delay=5)
    async def fail() -> None:
        attempts.append(world.clock.now().second)
        raise ValueError

    await manager.startup()
    await world.passes(70)
    assert attempts == [0, 5]


async def test_a_schedule_tells_when_it_runs_and_what_became_of_its_slots(world):
    manager = await world.started(cron="*/5 * * * *", timezone="Europe/Berlin")
    await world.passes(600, step=10)
    info = await manager.schedules.get("tick")
    assert (info.name, info.words, info.expression) == ("tick", "every 5 minutes", "*/5 * * * *")
    assert (info.timezone, info.paused) == ("Europe/Berlin", False)
    assert [f"{slot:%H:%M}" for slot in info.next] == ["12:15", "12:20", "12:25", "12:30", "12:35"]
    assert [slot.at.minute for slot in info.last] == [10, 5]
    assert [slot.task_id for slot in info.last] == [
        task.task_id for task in reversed(await world.tasks())
    ]


async def test_schedules_are_listed_by_name():
    manager = TaskManager()
    for name in ("b", "a"):
        manager.schedule(every=60, name=name)(report)
    assert [info.name for info in await manager.schedules.list()] == ["a", "b"]


@pytest.mark.parametrize("what", ["get", "pause", "resume", "run"])
async def test_an_unknown_schedule_is_named(what):
    with pytest.raises(ScheduleNotFound, match="no schedule 'nightly' in this process"):
        await getattr(TaskManager().schedules, what)("nightly")


@pytest.mark.parametrize("what", ["pause", "resume", "run"])
async def test_a_manager_that_is_not_started_takes_no_orders(what):
    manager = TaskManager()
    manager.schedule(every=60)(report)
    with pytest.raises(RuntimeError, match=f"{what} needs a manager that is started"):
        await getattr(manager.schedules, what)("report")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.5, "every 0.5 seconds"),
        (1, "every second"),
        (60, "every minute"),
        (90, "every 90 seconds"),
        (300, "every 5 minutes"),
        (7200, "every 2 hours"),
        (86_400, "every day"),
    ],
)
def test_intervals_have_words(seconds, words):
    assert Every(seconds).words == words


def test_intervals_that_binary_fractions_cannot_hold_do_not_drift():
    slot, tenth = NOW, Every(0.1)
    for _ in range(10_000):
        slot = tenth.after(slot)
    assert slot == NOW + timedelta(seconds=1000)
