"""Cron slots in every zone of the world, against a reference that only knows how to count minutes.

The reference walks through a window minute by minute and asks `zoneinfo` what the clocks show;
the code under test computes with offsets. ``TASKFLOW_ALL_ZONES=1`` looks at every change of
every zone within 20 years instead of at a sample.
"""

import functools
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_taskflow_scheduler import Cron

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FIRST, LAST = datetime(2006, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
ZONES = sorted(available_timezones())
PECULIAR = ["Pacific/Apia", "America/Caracas", "Asia/Pyongyang", "Antarctica/Troll"]
"""A day skipped, half an hour back and forth, two hours."""

# pattern: minutes, hours, days, months, weekdays (0 is Monday)
EACH = range(64)
PATTERNS = {
    "* * * * *": (EACH, EACH, EACH, EACH, EACH),
    "*/30 * * * *": ((0, 30), EACH, EACH, EACH, EACH),
    "20,40 0-23 * * *": ((20, 40), EACH, EACH, EACH, EACH),
    "30 * * * sun": ((30,), EACH, EACH, EACH, (6,)),
    "0 0 * * *": ((0,), (0,), EACH, EACH, EACH),
    "30 1,2 * * *": ((30,), (1, 2), EACH, EACH, EACH),
    "*/15 0-3,23 * * *": (range(0, 60, 15), (0, 1, 2, 3, 23), EACH, EACH, EACH),
    "0 */2 * * *": ((0,), range(0, 24, 2), EACH, EACH, EACH),
    "5 2 * * sat,sun": ((5,), (2,), EACH, EACH, (5, 6)),
    "0 2 30,31 3,10,12 *": ((0,), (2,), (30, 31), (3, 10, 12), EACH),
}


@functools.cache
def changes(name: str) -> list[datetime]:
    """The days before which the zone changes its offset."""
    zone, days = ZoneInfo(name), (LAST - FIRST).days
    offsets = [(FIRST + day * DAY).astimezone(zone).utcoffset() for day in range(days)]
    return [FIRST + day * DAY for day in range(1, days) if offsets[day] != offsets[day - 1]]


def minutes(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[tuple]:
    """Each minute of the window with what the clocks show, and whether for the first time."""
    moment = since
    while moment <= until:
        local = moment.astimezone(zone)
        yield moment, local.replace(tzinfo=None, fold=0), not local.fold
        moment += MINUTE


def reference(pattern: str, name: str, since: datetime, until: datetime) -> list[datetime]:
    minute, hour, day, month, weekday = PATTERNS[pattern]

    def matches(wall: datetime) -> bool:
        return (
            wall.minute in minute
            and wall.hour in hour
            and wall.day in day
            and wall.month in month
            and wall.weekday() in weekday
        )

    by_distance = hour is EACH
    found = []
    window = minutes(ZoneInfo(name), since, until)
    for (_, before, _), (moment, wall, first) in pairwise(window):
        skipped = before + MINUTE
        in_gap = False
        while not by_distance and skipped < wall:
            in_gap = in_gap or matches(skipped)
            skipped += MINUTE
        if in_gap or (matches(wall) and (first or by_distance)):
            found.append(moment)
    return found


def computed(pattern: str, name: str, since: datetime, until: datetime) -> list[datetime]:
    cron = Cron(pattern, name)
    found = []
    slot = cron.after(since)
    while slot is not None and slot <= until:
        found.append(slot)
        slot = cron.after(slot)
    return found


@st.composite
def windows(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and a minute, mostly near a change of its offset."""
    name = draw(st.sampled_from(ZONES))
    near = changes(name)
    if near and draw(st.integers(0, 9)):
        return name, draw(st.sampled_from(near)) - draw(st.integers(0, 2 * 1440)) * MINUTE
    return name, FIRST + draw(st.integers(0, (LAST - FIRST) // MINUTE)) * MINUTE


@settings(max_examples=80)
@given(window=windows(), pattern=st.sampled_from(list(PATTERNS)))
def test_the_slots_of_any_zone_are_those_of_the_reference(window, pattern):
    name, since = window
    until = since + 1.5 * DAY
    assert computed(pattern, name, since, until) == reference(pattern, name, since, until)


@settings(max_examples=100)
@given(window=windows(), pattern=st.sampled_from(list(PATTERNS)), seconds=st.floats(0, 59.999))
def test_the_slot_after_any_moment_is_the_first_of_those_that_follow(window, pattern, seconds):
    name, since = window
    cron, moment = Cron(pattern, name), since + timedelta(seconds=seconds)
    row = [since - MINUTE]
    while row[-1] <= moment:
        row.append(cron.after(row[-1]))
    assert cron.after(moment) == row[-1]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_change_of_a_zone_keeps_the_rules(pattern):
    seen = set()
    for name in ZONES if os.environ.get("TASKFLOW_ALL_ZONES") else PECULIAR:
        alike = (*changes(name), *offsets(name))
        for change in changes(name) if alike not in seen else ():
            since, until = change - 1.5 * DAY, change + DAY / 2
            assert computed(pattern, name, since, until) == reference(pattern, name, since, until)
        seen.add(alike)


def offsets(name: str) -> list[timedelta | None]:
    zone = ZoneInfo(name)
    return [change.astimezone(zone).utcoffset() for change in changes(name)]
