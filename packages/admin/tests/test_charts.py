"""Charts and groups, worked out from figures."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from fake_manager import task

from fastapi_taskflow_admin.pages.charts import (
    HEIGHT,
    WIDTH,
    failures,
    latency,
    panel,
    sparkline,
    throughput,
)
from fastapi_taskflow_admin.pages.failures import groups
from fastapi_taskflow_admin.pages.scales import linear, logarithmic, times
from fastapi_taskflow_admin.pages.tiles import past, present
from fastapi_taskflow_core.metrics import Series, SeriesBucket, Window
from fastapi_taskflow_core.records import TaskStatus

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
STEP = timedelta(minutes=1)


def bucket(minute: int, good: int, bad: int, tail: float | None) -> SeriesBucket:
    return SeriesBucket(NOON + minute * STEP, good + bad, good, bad, 1, tail, tail, tail, tail)


def series(*buckets: tuple[int, int, float | None]) -> Series:
    """A chart's data of (succeeded, failed, p99) a minute."""
    made = [bucket(n, *each) for n, each in enumerate(buckets)]
    tails = [tail for _, _, tail in buckets if tail is not None]
    whole = bucket(
        0,
        sum(good for good, _, _ in buckets),
        sum(bad for _, bad, _ in buckets),
        max(tails, default=None),
    )
    return Series(Window(NOON, NOON + len(made) * STEP, STEP, "minute"), tuple(made), whole)


def boxes(path: str) -> list[tuple[float, float, float, float]]:
    """The bars of a path: left, top, width and foot."""
    found = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)V([\d.]+)", path)
    return [(float(x), float(top), float(w), float(foot)) for x, foot, w, top in found]


def test_bars_stand_on_each_other_and_fit() -> None:
    chart = throughput(series((3, 1, None), (0, 0, None), (8, 0, None)))
    assert [shape.kind for shape in chart.shapes] == ["failed", "success"]
    [failed], [first, last] = (boxes(shape.path) for shape in chart.shapes)
    assert failed[3] == HEIGHT
    assert first[3] == failed[1]
    assert last[1] == 0
    for left, top, width, foot in (failed, first, last):
        assert 0 <= left <= left + width <= WIDTH
        assert 0 <= top < foot <= HEIGHT
    assert (chart.note, chart.empty) == ("12 ended, bars of 1 min", False)
    assert [tick.words for tick in chart.ticks] == ["0", "2", "4", "6", "8"]
    assert [(key.word, key.value, key.column) for key in chart.keys] == [
        ("succeeded", "11", 1),
        ("failed", "1", 2),
    ]


def test_the_least_can_be_seen() -> None:
    [bar] = boxes(throughput(series((100_000, 1, None))).shapes[0].path)
    assert bar[3] - bar[1] >= 1.5


def test_the_table_has_the_same_figures() -> None:
    shown = panel(series((3, 1, 0.5), (1200, 0, None)))
    assert shown.rows == [
        ("4 May 12:00", ["3", "1", "1", "25.0 %", *["500 ms"] * 4]),
        ("4 May 12:01", ["1\u202f200", "0", "1", "0 %", *["—"] * 4]),
    ]
    assert len(shown.names) == len(shown.rows[0][1])
    columns = [key.column for chart in shown.charts for key in chart.keys]
    assert [shown.names[column - 1] for column in columns] == [
        "Succeeded",
        "Failed",
        "p50",
        "p95",
        "p99",
        "Failure rate",
    ]


def test_a_line_is_broken_where_nothing_ran() -> None:
    chart = latency(series((1, 0, 1.0), (1, 0, 2.0), (0, 0, None), (1, 0, 4.0)))
    path = chart.shapes[2].path
    assert path.count("M") == 2
    assert path.count("L") == 1
    assert path.endswith("h135.0")  # one step alone is a dash, as broad as its bar
    assert [tick.words for tick in chart.ticks] == ["1 s", "10 s"]


def test_a_rate_of_failures_has_an_axis_of_its_own() -> None:
    chart = failures(series((99, 1, 1.0), (0, 0, None)))
    assert len(boxes(chart.shapes[0].path)) == 1
    assert chart.ticks[-1].words == "6 %"
    assert chart.keys[0].value == "1.0 %"


def test_without_tasks_a_chart_is_empty() -> None:
    for chart in panel(series((0, 0, None))).charts:
        assert chart.empty
        assert not any(shape.path for shape in chart.shapes)


@pytest.mark.parametrize(
    ("highest", "words"),
    [(0, "0 1"), (1, "0 1"), (7, "0 2 4 6 8"), (130, "0 50 100 150"), (999, "0 500 1000")],
)
def test_an_axis_has_a_few_round_values(highest: int, words: str) -> None:
    scale = linear(highest, lambda value: f"{value:g}", whole=True)
    assert [tick.words for tick in scale.ticks] == words.split()
    assert scale.height(highest) <= 1
    assert (scale.ticks[0].at, scale.ticks[-1].at) == (100, 0)


def test_an_axis_of_times_goes_from_power_to_power() -> None:
    scale = logarithmic(0.004, 35)
    assert [tick.words for tick in scale.ticks] == ["1 ms", "100 ms", "10 s"]
    assert 0 < scale.height(0.004) < scale.height(35) < 1


@pytest.mark.parametrize(
    ("hours", "step", "words"),
    [
        (1, 1, "12:10 12:20 12:30 12:40 12:50"),
        (24, 60, "18:00 5_May 06:00"),
        (7 * 24, 60, "5_May 6_May 7_May 8_May 9_May 10_May 11_May"),
    ],
)
def test_marks_of_time_are_round_and_days_have_dates(hours: int, step: int, words: str) -> None:
    shown = Window(NOON, NOON + timedelta(hours=hours), timedelta(minutes=step), "minute")
    ticks = times(shown)
    assert [tick.words.replace(" ", "_") for tick in ticks] == words.split()
    assert all(0 < tick.at < 100 for tick in ticks)


def test_a_sparkline_goes_through_every_value() -> None:
    assert sparkline([0, 5, 10]) == "M0.0 19.0 L50.0 10.0 L100.0 1.0"
    assert sparkline([]) == ""
    assert "nan" not in sparkline([0, None])


def test_figures_say_how_they_changed() -> None:
    now = series((8, 2, 1.0))
    earlier = bucket(0, 10, 0, 0.5)
    assert [(tile.name, tile.value, tile.change) for tile in past(now, earlier)] == [
        ("Failed", "2", "▲ 2"),
        ("Succeeded", "80.0 %", "▼ 20 points"),
        ("Run time, p95", "1.0 s", "▲ 100 %"),
    ]
    assert not any(tile.change for tile in past(now, None))
    waiting, running = present(now, earlier, 7, 0)
    assert (waiting.value, waiting.note) == ("7", "p95 of waits 1.0 s ▲ 100 %")
    assert (running.value, running.note) == ("0", "10 started")
    _, grown = present(series((300, 0, 1.0)), earlier, 7, 0)
    assert grown.note == "300 started ▲ 30 ×"


def failed(number: int, error: str | None, func_name: str = "send"):
    return task(number, TaskStatus.FAILED, error=error, func_name=func_name)


def test_what_failed_alike_is_one_group() -> None:
    found = groups(
        [
            failed(1, "ValueError: order 7 of 'ann' was refused\nmore"),
            failed(2, "ValueError: order 12 of 'bob' was refused"),
            failed(3, "ValueError: order 12 of 'bob' was refused", "charge"),
            failed(4, "KeyError: 3f2b8c1e-0000-4000-8000-123456789abc"),
            failed(5, None),
        ]
    )
    assert [group.count for group in found] == [2, 1, 1, 1]
    first = found[0]
    assert (first.sample, first.error) == ("task-0001", "ValueError: order 7 of 'ann' was refused")
    assert first.first < first.last
    assert first.href == "status=failed&func_name=send&q=ValueError"
