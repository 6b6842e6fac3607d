import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_taskflow_core.backends.base import Unfinished
from fastapi_taskflow_core.counts import by_function, together
from fastapi_taskflow_core.metrics import (
    Drawing,
    Durations,
    Histogram,
    Series,
    SeriesRange,
    Window,
    before,
    between,
    coarser,
    summarize,
    window,
)
from fastapi_taskflow_core.records import Attempt, TaskRecord, TaskStatus
from fastapi_taskflow_core.rollups import Rollups, RollupValue, bucket_of, tally

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def ran(
    seconds: float,
    *,
    status: TaskStatus = TaskStatus.SUCCESS,
    func_name: str = "send",
    waited: float = 0.0,
    ended: datetime = NOON,
    earlier: tuple[Attempt, ...] = (),
) -> TaskRecord:
    start = ended - seconds * SECOND
    return TaskRecord(
        task_id="1",
        func_name=func_name,
        created_at=(earlier[0].started_at if earlier else start) - waited * SECOND,
        status=status,
        start_time=start,
        end_time=ended,
        retries_used=len(earlier),
        earlier=earlier,
    )


def histogram(microseconds: Iterable[int]) -> Histogram:
    made = Histogram()
    for each in microseconds:
        made.add(bucket_of(each), RollupValue(1, each, each, each))
    return made


def series(counted: Rollups, shown: Window) -> Series:
    drawing = Drawing()
    drawing.add(counted)
    return drawing.series(shown)


def test_retries_are_counted_however_many_they_are() -> None:
    many = 2**31 - 1
    finished = [replace(ran(1), retries_used=many), replace(ran(1), retries_used=1)]
    (retried,) = (value for key, value in tally(finished, "hour").items() if key.event == "retried")
    assert retried == RollupValue(many + 1)


def test_nothing_has_zero_counts_no_durations_and_no_rate() -> None:
    figures = summarize({}, {}).overall
    assert figures.total == 0
    assert figures.counts == dict.fromkeys(TaskStatus, 0)
    assert figures.success_rate == 0.0
    assert figures.durations == Durations()


def test_waiting_and_running_tasks_count_in_the_total_but_not_in_the_success_rate() -> None:
    finished = tally([ran(1), ran(1, status=TaskStatus.FAILED)], "hour")
    waiting = {
        Unfinished("send", "default", TaskStatus.PENDING): 3,
        Unfinished("send", "mail", TaskStatus.RUNNING): 2,
    }
    figures = summarize(finished, waiting).overall
    assert together(by_function(finished, waiting).values()) == figures.counts
    assert figures.total == 7
    assert figures.counts[TaskStatus.PENDING] == 3
    assert figures.counts[TaskStatus.RUNNING] == 2
    assert figures.success_rate == 0.5


def test_each_function_has_its_own_figures_in_alphabetical_order() -> None:
    finished = tally([ran(2, func_name="b"), ran(4, func_name="a")], "hour")
    functions = summarize(finished, {}).functions
    assert list(functions) == ["a", "b"]
    assert by_function(finished, {}) == {name: each.counts for name, each in functions.items()}
    assert functions["a"].durations.avg == 4.0
    assert functions["b"].durations.avg == 2.0


def test_durations_are_of_tasks_that_ended_by_themselves() -> None:
    tasks = [
        ran(1),
        ran(3, status=TaskStatus.FAILED),
        ran(100, status=TaskStatus.INTERRUPTED),
        ran(100, status=TaskStatus.CANCELLED),
    ]
    durations = summarize(tally(tasks, "hour"), {}).overall.durations
    assert (durations.min, durations.avg, durations.max) == (1.0, 2.0, 3.0)


def test_a_single_duration_is_every_percentile_exactly() -> None:
    durations = summarize(tally([ran(1.25)], "hour"), {}).overall.durations
    assert (durations.p50, durations.p95, durations.p99) == (1.25, 1.25, 1.25)


@given(
    values=st.lists(st.integers(2, 10**12), min_size=1, max_size=200),
    share=st.sampled_from([0.5, 0.95, 0.99]),
)
def test_a_percentile_is_within_five_percent_of_the_exact_one(
    values: list[int], share: float
) -> None:
    exact = sorted(values)[math.ceil(share * len(values)) - 1] / 1e6
    assert histogram(values).percentile(share) == pytest.approx(exact, rel=0.05)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=50))
def test_a_percentile_lies_between_the_least_and_the_greatest_value(values: list[int]) -> None:
    found = histogram(values).percentile(0.95)
    assert found is not None
    assert min(values) / 1e6 <= found <= max(values) / 1e6


@pytest.mark.parametrize("span", get_args(SeriesRange))
def test_a_window_has_at_most_180_steps_and_its_last_one_holds_the_present(
    span: SeriesRange,
) -> None:
    now = NOON + timedelta(minutes=7, seconds=13)
    shown = window(span, now)
    buckets = series({}, shown).buckets
    assert 1 <= len(buckets) <= 180
    assert buckets[0].start == shown.since
    assert buckets[-1].start <= now < buckets[-1].start + shown.step


def test_a_series_puts_what_happened_into_the_step_it_happened_in() -> None:
    first = Attempt(0, NOON - 20 * SECOND, NOON - 10 * SECOND, "boom")
    tasks = [
        ran(2, ended=NOON + 5 * SECOND),
        ran(4, ended=NOON + 65 * SECOND, status=TaskStatus.FAILED),
        ran(1, ended=NOON + 5 * SECOND, waited=3, earlier=(first,)),
    ]
    buckets = series(tally(tasks, "minute"), window("15m", NOON + 70 * SECOND)).buckets
    by_start = {bucket.start: bucket for bucket in buckets}
    noon, next_minute = by_start[NOON], by_start[NOON + 60 * SECOND]
    assert (noon.started, noon.succeeded, noon.failed, noon.retried) == (2, 2, 0, 1)
    assert (next_minute.started, next_minute.succeeded, next_minute.failed) == (1, 0, 1)
    assert noon.p99 == 2.0
    assert noon.wait_p95 == 3.0
    assert next_minute.p50 == 4.0


def test_a_step_without_tasks_has_zeros_and_no_percentiles() -> None:
    bucket = series({}, window("1h", NOON)).buckets[0]
    assert (bucket.started, bucket.succeeded, bucket.failed, bucket.retried) == (0, 0, 0, 0)
    assert (bucket.p50, bucket.p95, bucket.p99, bucket.wait_p95) == (None, None, None, None)


@given(
    ago=st.timedeltas(timedelta(0), timedelta(days=60)),
    length=st.timedeltas(timedelta(0), timedelta(days=60)),
)
def test_a_window_between_any_two_times_has_1_to_180_whole_steps(
    ago: timedelta, length: timedelta
) -> None:
    shown = between(NOON - ago, NOON - ago + length, NOON)
    number, rest = divmod(shown.until - shown.since, shown.step)
    assert 1 <= number <= 180 or shown.until - shown.since > timedelta(days=30)
    assert not rest
    if timedelta(0) < length and ago <= timedelta(days=30):
        assert shown.since <= NOON - ago


@pytest.mark.parametrize(
    ("ago", "length", "step"),
    [(2, 1, 60), (5, 5, 120), (8, 8, 3600), (100, 1, 3600), (20 * 24, 20 * 24, 4 * 3600)],
)
def test_a_window_is_as_fine_as_counters_are_kept(ago: int, length: int, step: int) -> None:
    since = NOON - timedelta(hours=ago)
    assert between(since, since + timedelta(hours=length), NOON).step == timedelta(seconds=step)


@pytest.mark.parametrize("span", get_args(SeriesRange))
def test_the_window_before_is_as_long_and_ends_where_this_one_begins(span: SeriesRange) -> None:
    shown = window(span, NOON)
    earlier = before(shown)
    if span == "30d":
        assert earlier is None
    else:
        assert earlier is not None
        assert earlier.until == shown.since
        assert shown.since - earlier.since == shown.until - shown.since


def test_the_whole_of_a_series_is_what_its_steps_are_together() -> None:
    tasks = [ran(n, ended=NOON + n * 60 * SECOND) for n in range(1, 10)]
    found = series(tally(tasks, "minute"), window("15m", NOON + 600 * SECOND))
    assert found.whole.succeeded == sum(each.succeeded for each in found.buckets) == 9
    assert found.whole.p95 == pytest.approx(9, rel=0.05)


def test_a_drawing_of_two_parts_is_that_of_both_at_once_and_leaves_them_alone() -> None:
    tasks = [ran(n, ended=NOON + n * 60 * SECOND, waited=n) for n in range(1, 10)]
    shown = window("15m", NOON + 600 * SECOND)
    counted, middle = tally(tasks, "minute"), NOON + 300 * SECOND
    first, then = Drawing(), Drawing()
    first.add({key: value for key, value in counted.items() if key.start < middle})
    then.add({key: value for key, value in counted.items() if key.start >= middle})
    expected = series(counted, shown)
    assert first.extended(then).series(shown) == expected
    assert first.extended(then).series(shown) == expected


@pytest.mark.parametrize("span", get_args(SeriesRange))
def test_a_coarser_window_has_fewer_steps_and_holds_the_present(span: SeriesRange) -> None:
    fine = window(span, NOON)
    shown = coarser(fine, 30)
    assert (shown.until - shown.since) // shown.step <= 30
    assert shown.since <= NOON < shown.until
    assert shown.until - shown.since >= fine.until - fine.since
    assert len(series({}, shown).buckets) == (shown.until - shown.since) // shown.step
