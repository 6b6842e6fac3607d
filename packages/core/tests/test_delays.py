"""Tasks for later: they come at their time, unless they are called off or it is too late."""

from __future__ import annotations

from datetime import timedelta

from parts import Parts

from fastapi_taskflow_core.engine.live import LiveTask


async def test_a_task_comes_when_its_seconds_have_passed_and_once() -> None:
    parts, came = Parts(), list[LiveTask]()
    task = parts.waiting()
    parts.delays.put_off(task, 5, came.append)
    parts.clock.advance(4.9)
    assert came == []
    parts.clock.advance(0.2)
    assert (came, len(parts.delays)) == ([task], 0)
    parts.clock.advance(60)
    assert came == [task]


async def test_a_task_may_be_put_off_again_from_where_it_comes_to() -> None:
    parts, came = Parts(), list[LiveTask]()
    task = parts.waiting()
    parts.delays.put_off(task, 5, lambda late: parts.delays.put_off(late, 5, came.append))
    parts.clock.advance(9)
    assert came == []
    parts.clock.advance(1)
    assert came == [task]


async def test_the_hour_of_a_task_is_by_the_wall_clock() -> None:
    parts = Parts()
    noon = parts.clock.now()
    for_now, past, later = (
        parts.waiting(),
        parts.waiting(run_at=noon - timedelta(seconds=1)),
        parts.waiting(run_at=noon + timedelta(seconds=90)),
    )
    assert [parts.delays.seconds(task) for task in (for_now, past, later)] == [0, -1, 90]
    assert [parts.delays.delayed(task) for task in (for_now, past, later)] == [False, False, True]
    parts.clock.advance(90)
    assert not parts.delays.delayed(later)


async def test_a_task_that_is_called_off_never_comes() -> None:
    parts, came = Parts(), list[LiveTask]()
    first, second = parts.waiting(), parts.waiting()
    parts.delays.put_off(first, 5, came.append)
    parts.delays.put_off(second, 5, came.append)
    parts.delays.call_off(first)
    parts.delays.call_off(first)
    parts.clock.advance(5)
    assert came == [second]


async def test_a_stop_calls_off_all_and_they_stay_as_they_are() -> None:
    parts, came = Parts(), list[LiveTask]()
    tasks = [parts.waiting() for _ in range(3)]
    for task in tasks:
        parts.delays.put_off(task, 5, came.append)
    parts.delays.stop()
    assert (parts.clock.pending, len(parts.delays)) == (0, 0)
    parts.clock.advance(5)
    assert came == []
    assert list(parts.live) == tasks


async def test_once_the_engine_drains_a_task_is_given_away_instead() -> None:
    parts, came = Parts(), list[LiveTask]()
    parts.patience.end()
    task = parts.waiting(persist=True)
    parts.delays.put_off(task, 5, came.append)
    assert (task.record.owner, task.gone, parts.clock.pending) == (None, True, 0)
    assert came == []
