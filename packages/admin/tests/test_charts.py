"""Charts and groups, worked out from figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fake_manager import task

from fastapi_taskflow_admin.pages.charts import HEIGHT, WIDTH, latency, sparkline, throughput
from fastapi_taskflow_admin.pages.failures import groups
from fastapi_taskflow_core.metrics import Series, SeriesBucket, Window
from fastapi_taskflow_core.records import TaskStatus

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
STEP = timedelta(minutes=1)


def series(*buckets: tuple[int, int, float | None]) -> Series:
    """A chart's data of (succeeded, failed, p99) a minute."""
    made = [
        SeriesBucket(NOON + n * STEP, good + bad, good, bad, 1, tail, tail, tail, tail)
        for n, (good, bad, tail) in enumerate(buckets)
    ]
    return Series(Window(NOON, NOON + len(made) * STEP, STEP, "minute"), tuple(made))


def test_bars_stand_on_each_other_and_fit() -> None:
    chart = throughput(series((3, 1, None), (0, 0, None), (8, 0, None)))
    failed, first, last = chart.bars
    assert (failed.kind, first.kind, last.kind) == ("failed", "success", "success")
    assert failed.y + failed.height == HEIGHT
    assert first.y + first.height == failed.y
    assert (last.y, last.height) == (0, HEIGHT)
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH for bar in chart.bars)
    assert (chart.note, chart.top, chart.empty) == ("12 ended", "8 in 1 min", False)


def test_the_least_can_be_seen() -> None:
    assert min(bar.height for bar in throughput(series((100_000, 1, None))).bars) >= 1.5


def test_the_table_has_the_same_figures() -> None:
    chart = throughput(series((3, 1, None), (1200, 0, None)))
    assert [step.cells for step in chart.steps] == [["3", "1", "1"], ["1\u202f200", "0", "1"]]


def test_a_line_is_broken_where_nothing_ran() -> None:
    chart = latency(series((1, 0, 1.0), (1, 0, 2.0), (0, 0, None), (1, 0, 4.0)))
    path = chart.lines[2].path
    assert path.count("M") == 2
    assert path.count("L") == 1
    assert chart.top == "4.0 s"


def test_without_tasks_a_chart_is_empty() -> None:
    for chart in (throughput(series((0, 0, None))), latency(series((0, 0, None)))):
        assert chart.empty
        assert not chart.bars


def test_a_sparkline_goes_through_every_value() -> None:
    assert sparkline([0, 5, 10]) == "M0.0 19.0 L50.0 10.0 L100.0 1.0"
    assert sparkline([]) == ""
    assert "nan" not in sparkline([0, 0])


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
