"""The attempts of a task over time."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import httpx
import pytest
from fake_manager import NOON, FakeManager, task

from fastapi_taskflow_admin.pages import formats
from fastapi_taskflow_admin.pages.marks import MARKED
from fastapi_taskflow_admin.pages.scales import Stretch
from fastapi_taskflow_admin.pages.waterfall import Bar, waterfall
from fastapi_taskflow_core.records import (
    Attempt,
    LogEntry,
    Progress,
    ProgressMark,
    TaskRecord,
    TaskStatus,
)

SECOND = timedelta(seconds=1)
ATTACK = "<img src=x onerror=alert(1)>"


def tried(times: int) -> TaskRecord:
    """A task that ran for a second, so many times, and paused for a second in between."""
    attempts = [
        Attempt(n, NOON + 2 * n * SECOND, NOON + (2 * n + 1) * SECOND, "boom") for n in range(times)
    ]
    *earlier, last = attempts
    return task(
        0,
        start_time=last.started_at,
        end_time=last.ended_at,
        earlier=tuple(earlier),
        retries_used=times - 1,
    )


def test_a_waterfall_says_in_words_what_it_draws() -> None:
    second = timedelta(seconds=1)
    tried = Attempt(0, NOON, NOON + second, "boom")
    done = task(
        0,
        start_time=NOON + 3 * second,
        end_time=NOON + 4 * second,
        earlier=(tried,),
        retries_used=1,
    )
    drawn = waterfall(done, NOON + 9 * second)
    assert drawn is not None
    assert [line.words for line in drawn.lines] == [
        "failed after 1.0 s",
        "paused 2.0 s, succeeded after 1.0 s",
    ]
    assert [tick.words for tick in drawn.ticks] == ["0", "1 s", "2 s", "3 s", "4 s"]
    assert (drawn.ticks[0].at, drawn.ticks[-1].at) == (0, 100)
    first, second = drawn.lines
    assert (first.run, second.before.x, second.before.end) == (
        Bar("failed", 0, 25, "1.0 s", "failed after 1.0 s"),
        25,
        75,
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0"),
        (0.05, "50 ms"),
        (0.000_2, "200 µs"),
        (2, "2 s"),
        (1.5e-3, "1.5 ms"),
        (90, "1 min 30 s"),
        (7_200, "2 h"),
    ],
)
def test_round_durations_are_short(seconds: float, words: str) -> None:
    assert formats.span(seconds) == words


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1.0, 60.0, 3_600.0, 86_400.0])
def test_no_two_neighbours_on_an_axis_say_the_same(unit: float) -> None:
    for number in range(1, 400):
        ticks = Stretch(NOON, NOON + timedelta(seconds=number / 4 * unit)).ticks()
        assert 2 <= len(ticks) <= 7
        assert all(one.words != other.words for one, other in pairwise(ticks))


@pytest.mark.parametrize(("times", "shown"), [(20, (20, 0, 0)), (25, (3, 12, 10))])
def test_of_many_attempts_those_in_the_middle_are_folded_away(
    times: int, shown: tuple[int, int, int]
) -> None:
    drawn = waterfall(tried(times), NOON)
    assert drawn is not None
    assert (len(drawn.first), len(drawn.folded), len(drawn.last)) == shown
    assert [line.name for line in drawn.lines] == [str(n + 1) for n in range(times)]


async def test_the_number_of_folded_attempts_is_told(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(
        tried(20), task(1, task_id="long", earlier=tried(24).earlier, retries_used=23)
    )
    few = (await client.get("/tasks/dashboard/tasks/task-0000")).text
    many = (await client.get("/tasks/dashboard/tasks/long")).text
    assert 'id="folded"' not in few
    assert "<summary>Show 11 more</summary>" in many


def test_a_task_that_waits_for_its_next_attempt_shows_how_long_it_will() -> None:
    waits = task(
        0,
        TaskStatus.PENDING,
        earlier=(Attempt(0, NOON, NOON + SECOND, "boom"),),
        retries_used=1,
        run_at=NOON + 4 * SECOND,
    )
    drawn = waterfall(waits, NOON + 2 * SECOND)
    assert drawn is not None
    assert drawn.took == "2.0 s"
    ahead = drawn.lines[-1]
    assert (ahead.words, ahead.before.x, ahead.before.end) == ("next attempt after 3.0 s", 25, 100)


def lines(*said: tuple[float, str, str]) -> Iterator[LogEntry]:
    """Lines of the first attempt: seconds since its start, level, message."""
    for seq, (seconds, level, message) in enumerate(said, 1):
        yield LogEntry(seq, NOON + seconds * SECOND, 0, level, message)  # type: ignore[arg-type]


def test_log_lines_are_marks_on_the_bar_of_their_attempt() -> None:
    log = [*lines((0, "info", "begun"), (0.5, "warning", "slow"), (0.5, "info", "done"))]
    log.append(LogEntry(4, NOON + 2 * SECOND, 1, "error", "w" * 80))
    drawn = waterfall(tried(2), NOON, log)
    assert drawn is not None
    first, second = drawn.lines
    assert [(mark.x, mark.level, mark.words) for mark in first.marks] == [
        (0, "info", "12:00:00 begun"),
        (16.67, "warning", "12:00:00 warning: slow and 1 more"),
    ]
    assert (first.log, second.log) == ("3, 1 warning", "1, 1 error")
    assert second.marks[0].words == f"12:00:02 error: {'w' * 59}…"


def test_five_thousand_lines_are_a_hundred_marks_and_the_gravest_speaks_for_its_neighbours() -> (
    None
):
    log = [
        *lines(*((n / 5_000, "error" if n == 2_510 else "debug", f"n {n}") for n in range(5_000)))
    ]
    drawn = waterfall(tried(1), NOON, log)
    assert drawn is not None
    marks = drawn.lines[0].marks
    assert len(marks) == 100
    assert [mark.words for mark in marks if mark.grave] == ["12:00:00 error: n 2510 and 49 more"]


def test_on_a_bar_of_a_few_pixels_only_warnings_and_errors_are_marked() -> None:
    log = [*lines((0, "info", "begun"), (1, "error", "broken"))]
    drawn = waterfall(tried(100), NOON, log)
    assert drawn is not None
    assert drawn.lines[0].run is not None
    assert drawn.lines[0].run.brief
    assert [mark.level for mark in drawn.lines[0].marks] == ["error"]


async def test_a_refresh_marks_what_was_said_last_and_says_that_it_is_not_all(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(tried(1))
    said = [(n / 2_000, "error" if n == 1_999 else "info", f"n {n} {ATTACK}") for n in range(2_000)]
    await manager.log("task-0000", *lines(*said))
    for headers in ({}, {"Taskflow-Part": "board"}):
        page = (await client.get("/tasks/dashboard/tasks/task-0000", headers=headers)).text
        marks = re.findall(r"<title>(.*?)</title></use>", page)
        assert marks[-1].startswith("12:00:00 error: n 1999 &lt;img src=x")
        assert len(marks) <= 27
        assert f"the latest {MARKED} lines are marked" in page
        assert "<img" not in page


async def test_what_a_task_said_of_its_progress_is_marked_on_its_attempts(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    record = tried(2)
    moments = [(0, 0.5, 40), (1, 2.25, 1_500), (1, 2.5, 3_000)]
    marks = tuple(ProgressMark(n, NOON + each * SECOND, done) for n, each, done in moments)
    record.progress = Progress(3_000, 3_000, "rows", marks)
    drawn = waterfall(record, NOON)
    assert drawn is not None
    assert [[step.x for step in line.steps] for line in drawn.lines] == [[16.67], [75, 83.33]]
    assert [line.far for line in drawn.lines] == ["40 of 3\u202f000", "3\u202f000 of 3\u202f000"]
    await manager.hold(record)
    page = (await client.get(f"/tasks/dashboard/tasks/{record.task_id}")).text
    assert page.count('<use href="#step"') == 3
    assert "<title>12:00:02 1\u202f500 of 3\u202f000</title>" in page
    assert "<td>40 of 3\u202f000</td>" in page
