from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from fastapi_taskflow_core.backends.base import Batch, Beat, Query
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.errors import TaskNotFound
from fastapi_taskflow_core.history import History
from fastapi_taskflow_core.records import LogEntry, TaskRecord, TaskStatus
from fastapi_taskflow_core.surroundings import SystemClock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Noon(SystemClock):
    def now(self) -> datetime:
        return NOON


class Unwritten:
    """What this process has done and not written yet."""

    def __init__(self, backend: MemoryBackend) -> None:
        self.backend = backend
        self.batches: list[Batch] = []

    async def flush(self) -> None:
        while self.batches:
            await self.backend.write(self.batches.pop(0))

    def add(self, *tasks: TaskRecord, logs: Sequence[tuple[str, LogEntry]] = ()) -> None:
        self.batches.append(Batch("here", inserts=tasks, logs=logs))


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend(clock=Noon())


@pytest.fixture
def unwritten(backend: MemoryBackend) -> Unwritten:
    return Unwritten(backend)


@pytest.fixture
def history(backend: MemoryBackend, unwritten: Unwritten) -> History:
    return History(backend, backend, unwritten.flush, Noon())


def ended(number: int, minutes_ago: float = 1, **fields: str) -> TaskRecord:
    end = NOON - timedelta(minutes=minutes_ago)
    begin = end - timedelta(seconds=2)
    return TaskRecord(
        f"task-{number}",
        "send",
        begin,
        TaskStatus.SUCCESS,
        begin,
        end,
        **fields,  # type: ignore[arg-type]
    )


def line(seq: int) -> LogEntry:
    return LogEntry(seq, NOON, 0, "info", f"line {seq}")


async def test_a_task_is_found_before_it_was_written(
    history: History, unwritten: Unwritten
) -> None:
    unwritten.add(ended(1))
    assert (await history.get("task-1")).func_name == "send"


async def test_every_read_sees_what_this_process_did(
    history: History, unwritten: Unwritten
) -> None:
    unwritten.add(ended(1))
    assert len((await history.query(Query())).tasks) == 1
    unwritten.add(ended(2))
    assert (await history.metrics()).overall.total == 2
    unwritten.add(ended(3))
    assert sum(bucket.succeeded for bucket in (await history.series("15m")).buckets) == 3
    unwritten.add(logs=[("task-1", line(1))])
    assert [entry.message for entry in await history.logs("task-1")] == ["line 1"]


async def test_an_unknown_task_is_not_found(history: History) -> None:
    with pytest.raises(TaskNotFound, match="gone"):
        await history.get("gone")
    with pytest.raises(TaskNotFound, match="gone"):
        await history.logs("gone")


async def test_a_task_comes_with_its_first_thousand_log_lines_unless_told_otherwise(
    history: History, unwritten: Unwritten
) -> None:
    unwritten.add(ended(1), logs=[("task-1", line(seq)) for seq in range(1, 1_101)])
    assert [entry.seq for entry in (await history.get("task-1")).logs] == list(range(1, 1_001))
    assert (await history.get("task-1", logs=False)).logs == ()


async def test_logs_are_read_on_from_a_line(history: History, unwritten: Unwritten) -> None:
    unwritten.add(ended(1), logs=[("task-1", line(seq)) for seq in range(1, 6)])
    assert [entry.seq for entry in await history.logs("task-1", after=2, limit=2)] == [3, 4]
    assert [entry.seq for entry in await history.logs("task-1", limit=2, latest=True)] == [4, 5]


async def test_changing_a_returned_task_changes_nothing_stored(
    history: History, unwritten: Unwritten
) -> None:
    unwritten.add(ended(1))
    (await history.get("task-1")).error = "mine"
    assert (await history.get("task-1")).error is None


async def test_metrics_count_finished_and_unfinished_tasks(
    history: History, unwritten: Unwritten
) -> None:
    unwritten.add(ended(1), TaskRecord("task-2", "send", NOON))
    figures = (await history.metrics()).overall
    assert (figures.total, figures.finished) == (2, 1)
    assert figures.counts[TaskStatus.PENDING] == 1
    assert figures.durations.max == 2.0


async def test_a_series_is_of_one_function_and_queue_if_asked(
    history: History, unwritten: Unwritten
) -> None:
    unwritten.add(ended(1), ended(2, queue="mail"))
    mail = await history.series("1h", "send", "mail")
    other = await history.series("1h", "other")
    assert sum(bucket.succeeded for bucket in mail.buckets) == 1
    assert sum(bucket.succeeded for bucket in other.buckets) == 0


async def test_only_what_finished_longer_ago_is_deleted_however_much_it_is(
    history: History, unwritten: Unwritten
) -> None:
    unwritten.add(*(ended(number, minutes_ago=61) for number in range(1_100)))
    unwritten.add(ended(2_000, minutes_ago=59))
    unwritten.add(TaskRecord("waiting", "send", NOON - timedelta(days=9)))
    assert await history.delete_older_than(timedelta(hours=1)) == 1_100
    left = {task.task_id for task in (await history.query(Query())).tasks}
    assert left == {"task-2000", "waiting"}


async def test_instances_are_those_that_beat(history: History, backend: MemoryBackend) -> None:
    await backend.beat(Beat("web-1", "host", 42, "1.0", NOON, timedelta(seconds=15)))
    assert [each.instance for each in await history.instances()] == ["web-1"]
