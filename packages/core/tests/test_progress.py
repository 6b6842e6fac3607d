"""What is remembered of a task's progress."""

from datetime import UTC, datetime, timedelta

from fastapi_taskflow_core import TaskManager, task_progress
from fastapi_taskflow_core.progress import MOST, remembered
from fastapi_taskflow_core.records import ProgressMark

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def said(*moments: tuple[int, float]) -> tuple[ProgressMark, ...]:
    """What is left of reports at these attempts and seconds."""
    marks: tuple[ProgressMark, ...] = ()
    for number, (attempt, seconds) in enumerate(moments):
        marks = remembered(marks, ProgressMark(attempt, NOON + timedelta(seconds=seconds), number))
        assert len(marks) <= MOST
    return marks


def test_few_reports_are_all_remembered() -> None:
    assert [mark.done for mark in said((0, 0), (0, 10), (0, 20), (1, 25))] == [0, 1, 2, 3]


def test_of_many_reports_those_are_left_that_show_how_it_went() -> None:
    for number in (100, 1_000, 10_000):
        seconds = [mark.done for mark in said(*((0, each) for each in range(number)))]
        assert seconds[0] == 0
        assert seconds[-1] == number - 1
        widest = max(after - before for before, after in zip(seconds, seconds[1:], strict=False))
        assert widest <= number / 3
        assert len(seconds) >= MOST / 3


def test_of_a_burst_beside_hours_its_two_ends_are_left() -> None:
    slow = [(0, 3_600.0 * each) for each in range(5)]
    burst = [(0, 18_000 + 0.001 * each) for each in range(1_000)]
    assert [mark.done for mark in said(*slow, *burst)] == [0, 1, 2, 3, 4, 5, 1_004]


def test_the_end_of_every_attempt_is_remembered_while_there_are_few() -> None:
    moments = [(attempt, 100.0 * attempt + each) for attempt in range(3) for each in range(50)]
    marks = said(*moments)
    assert {mark.attempt for mark in marks} == {0, 1, 2}
    assert marks[-1].done == 149


async def test_a_task_is_remembered_by_attempt(manager: TaskManager) -> None:
    @manager.task(retries=1)
    async def count() -> None:
        for each in (1, 2):
            task_progress(each, 2)
        raise ValueError

    task_id = await manager.enqueue(count)
    await manager.wait(task_id)
    told = (await manager.history.get(task_id)).progress
    assert told is not None
    assert [(mark.attempt, mark.done) for mark in told.marks][-1] == (1, 2)
    assert {mark.attempt for mark in told.marks} == {0, 1}
    times = [mark.time for mark in told.marks]
    assert times == sorted(times)
