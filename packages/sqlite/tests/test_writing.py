"""What becomes of batches, beyond what every backend promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fastapi_taskflow_core.backends.base import Batch, Claim, Query, RollupQuery
from fastapi_taskflow_core.errors import BackendError
from fastapi_taskflow_core.records import Attempt, LogEntry, Progress, TaskRecord, TaskStatus
from fastapi_taskflow_core.rollups import STEP, tally
from fastapi_taskflow_sqlite import SqliteBackend
from fastapi_taskflow_testkit.builders import FUNCTION, HOUR, ME, a_beat, a_task, claim, ended, now

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def finished(**fields: Any) -> TaskRecord:
    """A task that ran for a second."""
    return ended(a_task(**fields))


async def counted(backend: SqliteBackend) -> int:
    """How many successes the roll-ups know."""
    counters = await backend.rollups(RollupQuery("hour"))
    return sum(value.n for key, value in counters.items() if key.event == "success")


@pytest.mark.parametrize("size", [1, 2, 7, 100, 515, 1000, 3001])
async def test_a_batch_of_any_size_is_stored_and_counted_exactly(
    backend: SqliteBackend, size: int
) -> None:
    await backend.write(Batch(ME, inserts=[ended(a_task()) for _ in range(size)]))
    assert await counted(backend) == size
    assert await backend.delete(now() + 2 * HOUR, 10_000) == size


async def test_counters_that_no_chart_shows_are_removed_and_stay_in_the_sums(
    backend: SqliteBackend,
) -> None:
    tasks = [finished(created_at=now() - ago * HOUR) for ago in (0, 1, 2 * 24, 40 * 24)]
    await backend.write(Batch(ME, inserts=tasks))
    await claim(backend, ME)
    shown = {"minute": tasks[:2], "hour": tasks[:3]}
    for resolution, step in STEP.items():
        steps = await backend.rollups(RollupQuery(resolution, step=step))
        assert dict(steps) == tally(shown[resolution], resolution)
    assert await counted(backend) == 4


@pytest.mark.parametrize("size", [1, 100, 2000])
async def test_updates_of_any_number_are_applied_and_counted_once(
    backend: SqliteBackend, size: int
) -> None:
    tasks = [a_task() for _ in range(size)]
    await backend.write(Batch(ME, inserts=tasks))
    ended = [replace(it, status=TaskStatus.SUCCESS, end_time=NOON) for it in tasks]
    for _ in range(2):
        written = await backend.write(Batch(ME, updates=ended))
        assert not written.refused
    assert await counted(backend) == size


async def test_one_refused_update_does_not_touch_the_others(backend: SqliteBackend) -> None:
    tasks = [a_task() for _ in range(50)]
    await backend.write(Batch(ME, inserts=tasks))
    running = [replace(it, status=TaskStatus.RUNNING) for it in tasks]
    running[7].epoch = 2
    written = await backend.write(Batch(ME, updates=running))
    assert written.refused == {tasks[7].task_id}
    assert len((await backend.query(Query(statuses=frozenset({TaskStatus.RUNNING})))).tasks) == 49


async def test_a_batch_whose_answer_was_lost_can_be_written_again(backend: SqliteBackend) -> None:
    holder = a_task(idempotency_key="k")
    await backend.write(Batch(ME, inserts=[holder]))
    log = LogEntry(1, NOON, 0, "info", "hello")
    plain, late, tagged = (
        ended(a_task()),
        a_task(idempotency_key="k"),
        ended(a_task(tags={"team": "blue"})),
    )
    batch = Batch(ME, inserts=[plain, late, tagged], logs=[(plain.task_id, log)])
    first, second = await backend.write(batch), await backend.write(batch)
    assert first == second
    assert second.duplicates == {late.task_id: holder.task_id}
    assert await counted(backend) == 2
    assert await backend.logs(plain.task_id) == [log]


async def test_a_key_goes_to_one_of_two_tasks_of_a_batch(backend: SqliteBackend) -> None:
    first, second = a_task(idempotency_key="k"), a_task(idempotency_key="k")
    written = await backend.write(Batch(ME, inserts=[first, second]))
    assert written.duplicates == {second.task_id: first.task_id}
    assert await backend.get(second.task_id) == first


async def test_a_key_released_in_the_same_batch_is_free(backend: SqliteBackend) -> None:
    first, second = a_task(idempotency_key="k"), a_task(idempotency_key="k")
    await backend.write(Batch(ME, inserts=[first]))
    failed = replace(first, status=TaskStatus.FAILED, end_time=NOON)
    written = await backend.write(Batch(ME, updates=[failed], inserts=[second]))
    assert not written.duplicates


@pytest.mark.parametrize(
    "wrong", [{"priority": 2**70}, {"error": "\ud800"}, {"queue": "\ud800"}, {"owner": object()}]
)
async def test_a_value_that_cannot_be_stored_fails_the_batch_with_nothing_stored(
    backend: SqliteBackend, wrong: dict[str, Any]
) -> None:
    good = ended(a_task())
    with pytest.raises(BackendError, match="cannot be stored"):
        await backend.write(Batch(ME, inserts=[good, ended(a_task(), **wrong)]))
    assert await backend.get(good.task_id) is None
    await backend.write(Batch(ME, inserts=[good]))
    assert await counted(backend) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tags": {"a": "1"}, "progress": Progress(1, 2.5, "half")},
        {"earlier": (Attempt(0, NOON, NOON, "x\0y"), Attempt(1, NOON))},
        {"payload": b"\0\xff", "result": "é\0😀", "priority": -3, "crashes": 2, "epoch": 9},
        {"requeue_on_interrupt": True, "retry_of": "x", "source": "scheduled", "run_at": NOON},
    ],
)
@pytest.mark.parametrize("make", [a_task, finished])
async def test_a_record_comes_back_equal(
    backend: SqliteBackend, make: Callable[..., TaskRecord], fields: dict[str, Any]
) -> None:
    record = make(**fields)
    await backend.write(Batch(ME, inserts=[record]))
    assert await backend.get(record.task_id) == record
    assert (await backend.query(Query())).tasks == [record]


async def test_a_cancellation_asked_for_outlives_an_update_that_does_not_know(
    backend: SqliteBackend,
) -> None:
    record = a_task()
    await backend.write(Batch(ME, inserts=[record]))
    await backend.request_cancel(record.task_id, NOON)
    await backend.write(Batch(ME, updates=[replace(record, status=TaskStatus.RUNNING)]))
    assert (await backend.beat(a_beat(ME))).cancels == {record.task_id}


async def test_tasks_of_an_instance_that_never_beat_are_handed_out(backend: SqliteBackend) -> None:
    records = [a_task(persist=True) for _ in range(600)]
    await backend.write(Batch(ME, inserts=records))
    await backend.beat(a_beat("b"))
    claimed = await backend.claim(Claim("b", frozenset({FUNCTION}), limit=1000))
    assert {it.task_id for it in claimed} == {it.task_id for it in records}
    assert {(it.owner, it.epoch) for it in claimed} == {("b", 2)}
