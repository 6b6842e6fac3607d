"""Calls that happen once, at a time to come."""

from datetime import UTC, datetime, timedelta

import pytest

from fastapi_taskflow_core import TaskArgumentError, TaskManager, TaskStatus
from fastapi_taskflow_testkit.clock import NOON

HOUR = timedelta(hours=1)


async def remind(whom: str, run_key: str = "") -> None: ...


async def test_a_call_waits_for_its_time_and_is_an_ordinary_task(world):
    manager = await world.started(every=3600)
    task_id = await manager.schedule_once(
        remind, "ada", run_at=NOON + HOUR, run_key="k", tags={"a": "b"}, queue="mail"
    )
    task = await manager.history.get(task_id)
    assert (task.status, task.source, task.run_at) == (
        TaskStatus.PENDING,
        "scheduled",
        NOON + HOUR,
    )
    assert (task.tags, task.queue) == ({"a": "b"}, "mail")


async def test_a_call_whose_time_is_past_runs_at_once(world):
    manager = await world.started(every=3600)
    task_id = await manager.schedule_once(remind, "ada", run_at=NOON - HOUR, run_key="k")
    await world.passes(1)
    assert (await manager.history.get(task_id)).status is TaskStatus.SUCCESS


async def test_the_same_key_replaces_the_call_that_waits(world):
    manager = await world.started(every=3600)
    first = await manager.schedule_once(remind, "ada", run_at=NOON + HOUR, run_key="k")
    second = await manager.schedule_once(remind, "bob", run_at=NOON + 2 * HOUR, run_key="k")
    (waiting,) = await manager.list_scheduled()
    assert (waiting.run_key, waiting.task.task_id) == ("k", second)
    assert (await manager.history.get(first)).status is TaskStatus.CANCELLED


async def test_a_call_is_cancelled_by_its_key_once(world):
    manager = await world.started(every=3600)
    task_id = await manager.schedule_once(remind, "ada", run_at=NOON + HOUR, run_key="k")
    assert await manager.cancel_scheduled("k") is True
    assert await manager.cancel_scheduled("k") is False
    assert (await manager.history.get(task_id)).status is TaskStatus.CANCELLED


async def test_calls_are_listed_by_time_up_to_a_moment(world):
    manager = await world.started(every=3600)
    for hours in (3, 1, 2):
        await manager.schedule_once(remind, "x", run_at=NOON + hours * HOUR, run_key=f"{hours}")
    assert [each.run_key for each in await manager.list_scheduled()] == ["1", "2", "3"]
    before = await manager.list_scheduled(before=NOON + 2.5 * HOUR)
    assert [each.run_key for each in before] == ["1", "2"]


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"run_at": NOON.replace(tzinfo=None)}, ValueError, "run_at must be an aware datetime"),
        ({"run_at": "tomorrow"}, TypeError, "run_at"),
        ({"run_key": ""}, ValueError, "run_key"),
        ({"run_key": 7}, TypeError, "run_key"),
        ({"idempotency_key": "k"}, TypeError, "idempotency_key is not an option"),
        ({"wohm": "ada"}, TypeError, "no parameter 'wohm'"),
        ({"whom": object()}, TaskArgumentError, "whom"),
    ],
)
async def test_what_makes_no_sense_is_refused_at_the_call(world, changes, error, said):
    manager = await world.started(every=3600)
    call = {"whom": "ada", "run_at": NOON + HOUR, "run_key": "k", **changes}
    with pytest.raises(error, match=said):
        await manager.schedule_once(remind, **call)
    assert await manager.list_scheduled() == []


@pytest.mark.parametrize("what", ["schedule_once", "cancel_scheduled", "list_scheduled"])
async def test_without_a_backend_that_keeps_calls_there_are_none(what):
    manager = TaskManager()
    await manager.startup()
    calls = {
        "schedule_once": lambda: manager.schedule_once(
            remind, "ada", run_at=datetime.now(UTC), run_key="k"
        ),
        "cancel_scheduled": lambda: manager.cancel_scheduled("k"),
        "list_scheduled": manager.list_scheduled,
    }
    with pytest.raises(RuntimeError, match=f"{what} needs a backend that outlives the process"):
        await calls[what]()
    await manager.shutdown()


async def test_a_call_cannot_be_kept_before_the_start(world):
    with pytest.raises(RuntimeError, match="needs a manager that is started"):
        await world.manager().schedule_once(remind, "ada", run_at=NOON, run_key="k")
