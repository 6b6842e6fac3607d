"""Rows of slots and what becomes of those that are due: pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_taskflow_core.schedules import ScheduleOptions
from fastapi_taskflow_scheduler import Every
from fastapi_taskflow_scheduler.misfire import Due, judge
from fastapi_taskflow_scheduler.slots import Bounded, newest, share, upcoming

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
moments = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
intervals = st.one_of(st.integers(1, 10**7), st.floats(0.01, 1e6).map(lambda it: round(it, 3)))


@given(moment=moments, seconds=intervals)
def test_an_interval_has_one_slot_in_each_of_its_lengths(moment, seconds):
    every, length = Every(seconds), timedelta(seconds=seconds)
    slot = every.after(moment)
    assert moment < slot <= moment + length
    assert every.after(slot) == slot + length
    assert (slot - datetime(1970, 1, 1, tzinfo=UTC)) % length == timedelta(0)


@given(since=moments, seconds=intervals, span=st.integers(0, 500), number=st.integers(1, 50))
def test_the_newest_slots_are_the_end_of_all_slots(since, seconds, span, number):
    every = Every(seconds)
    until = since + span * timedelta(seconds=seconds)
    everything = [slot for slot in upcoming(every, since, span + 1) if slot <= until]
    assert list(newest(every, since, until, number)) == everything[-number:]


@given(moment=moments, name=st.text(max_size=20))
def test_chance_is_below_one_and_the_same_each_time(moment, name):
    assert 0 <= share(name, moment) < 1
    assert share(name, moment) == share(name, moment)


def test_a_row_has_its_bounds_included():
    row = Bounded(Every(10), NOON, NOON + 20 * SECOND)
    assert list(upcoming(row, NOON - timedelta(days=1), 9)) == [
        NOON,
        NOON + 10 * SECOND,
        NOON + 20 * SECOND,
    ]


MISSED = [Due(NOON - late * SECOND, float(late)) for late in (30, 20, 10, 2)]


@pytest.mark.parametrize(
    ("options", "waiting", "fates"),
    [
        ({}, None, "misfired misfired misfired fired"),
        ({"misfire_grace": 1}, None, "misfired misfired misfired misfired"),
        ({"misfire": "all"}, None, "fired fired fired fired"),
        ({"misfire": "all", "misfire_grace": 15}, None, "misfired misfired fired fired"),
        ({"misfire": "skip"}, None, "misfired misfired misfired fired"),
        ({"misfire": "skip", "misfire_grace": 1}, None, "misfired misfired misfired misfired"),
        ({}, 20, "misfired overlapped overlapped fired"),
        ({"misfire": "all"}, 30, "fired fired fired fired"),
    ],
    ids=str,
)
def test_what_becomes_of_slots_follows_the_options(options, waiting, fates):
    held = None if waiting is None else NOON - waiting * SECOND
    judged = judge(MISSED, ScheduleOptions(every=10, **options), held)
    assert [at for at, _ in judged] == [slot.at for slot in MISSED]
    assert " ".join(fate for _, fate in judged) == fates


def test_a_slot_that_waited_for_the_run_before_is_not_late():
    alone = [Due(NOON, 3600.0)]
    (fate,) = judge(alone, ScheduleOptions(every=10, misfire="skip"), NOON)
    assert fate == (NOON, "fired")


def test_of_many_slots_given_up_the_latest_are_noted():
    due = [Due(NOON - late * SECOND, float(late)) for late in range(1000, 0, -1)]
    judged = judge(due, ScheduleOptions(every=1, misfire="all", misfire_grace=5))
    assert [fate for _, fate in judged] == ["misfired"] * 10 + ["fired"] * 5
