"""Which moments a cron pattern means, in the hours that clocks skip and show twice too."""

import sys
from datetime import UTC, datetime

import pytest

from fastapi_taskflow_core.errors import MissingExtra
from fastapi_taskflow_scheduler import Cron
from fastapi_taskflow_scheduler.slots import newest, upcoming


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def utc(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts]


# zone, pattern, from when on (UTC), the next slots (UTC)
TABLE = {
    "no change": ("UTC", "0 2 * * *", "2026-03-01 12:00", ["2026-03-02 02:00", "2026-03-03 02:00"]),
    "offset": ("Asia/Kolkata", "0 2 * * *", "2026-03-01 12:00", ["2026-03-01 20:30"]),
    "gap: a time skipped runs at its end": (
        "America/New_York",
        "30 2 * * *",
        "2026-03-07 12:00",
        ["2026-03-08 07:00", "2026-03-09 06:30"],
    ),
    "gap: several times skipped are one run": (
        "America/New_York",
        "0,15,30,45 2,3 * * *",
        "2026-03-08 06:00",
        ["2026-03-08 07:00", "2026-03-08 07:15", "2026-03-08 07:30", "2026-03-08 07:45"],
    ),
    "gap: */30 follows elapsed time": (
        "America/New_York",
        "*/30 * * * *",
        "2026-03-08 06:15",
        ["2026-03-08 06:30", "2026-03-08 07:00", "2026-03-08 07:30"],
    ),
    "gap: a minute of every hour is silent": (
        "America/New_York",
        "15 * * * *",
        "2026-03-08 06:00",
        ["2026-03-08 06:15", "2026-03-08 07:15"],
    ),
    "fold: a time shown twice runs at the first": (
        "America/New_York",
        "30 1 * * *",
        "2026-11-01 00:00",
        ["2026-11-01 05:30", "2026-11-02 06:30"],
    ),
    "fold: from between the passes": (
        "America/New_York",
        "30 1 * * *",
        "2026-11-01 06:10",
        ["2026-11-02 06:30"],
    ),
    "fold: */30 follows elapsed time": (
        "America/New_York",
        "*/30 * * * *",
        "2026-11-01 05:15",
        ["2026-11-01 05:30", "2026-11-01 06:00", "2026-11-01 06:30", "2026-11-01 07:00"],
    ),
    "fold: every second hour is times of day": (
        "Europe/Berlin",
        "0 */2 * * *",
        "2026-10-24 23:00",
        ["2026-10-25 00:00", "2026-10-25 03:00"],
    ),
    "fold at midnight belongs to the day before": (
        "America/Havana",
        "30 * 1 11 *",
        "2026-11-01 04:00",
        ["2026-11-01 04:30", "2026-11-01 05:30", "2026-11-01 06:30"],
    ),
    "Lord Howe: a gap of half an hour": (
        "Australia/Lord_Howe",
        "15 2 * * *",
        "2026-10-02 16:00",
        ["2026-10-03 15:30", "2026-10-04 15:15"],
    ),
    "Lord Howe: a fold of half an hour": (
        "Australia/Lord_Howe",
        "45 1 * * *",
        "2026-04-03 20:00",
        ["2026-04-04 14:45", "2026-04-05 15:15"],
    ),
    "Lord Howe: */30 through the fold": (
        "Australia/Lord_Howe",
        "*/30 * * * *",
        "2026-04-04 14:10",
        ["2026-04-04 14:30", "2026-04-04 15:00", "2026-04-04 15:30"],
    ),
    "Troll: a gap of two hours": (
        "Antarctica/Troll",
        "0,30 1,2 * * *",
        "2026-03-29 00:00",
        ["2026-03-29 01:00", "2026-03-29 23:00"],
    ),
    "Troll: a fold of two hours": (
        "Antarctica/Troll",
        "0 1,2 * * *",
        "2026-10-24 23:30",
        ["2026-10-25 00:00", "2026-10-26 01:00"],
    ),
    "Samoa: a day skipped": (
        "Pacific/Apia",
        "0 2 * * *",
        "2011-12-29 00:00",
        ["2011-12-29 12:00", "2011-12-30 10:00", "2011-12-30 12:00"],
    ),
    "Samoa: the date skipped": (
        "Pacific/Apia",
        "0 8 30 12 *",
        "2011-12-01 00:00",
        ["2011-12-30 10:00", "2012-12-29 18:00"],
    ),
}


@pytest.mark.parametrize(("zone", "pattern", "since", "expected"), TABLE.values(), ids=TABLE)
def test_the_slots_are_those_of_the_table(zone, pattern, since, expected):
    (start,) = utc(since)
    assert list(upcoming(Cron(pattern, zone), start, len(expected))) == utc(*expected)


def test_day_and_weekday_both_given_mean_either():
    found = upcoming(Cron("0 0 13 * fri", "UTC"), *utc("2026-03-01"), 4)
    assert [slot.day for slot in found] == [6, 13, 20, 27]


def test_the_newest_slots_of_years_are_found_from_their_end():
    since, until = utc("2006-01-01", "2026-01-01 00:00:30")
    found = newest(Cron("* * * * *", "Europe/Berlin"), since, until, 2)
    assert list(found) == utc("2025-12-31 23:59", "2026-01-01 00:00")


def test_a_row_that_ends_with_time_itself_ends():
    (end,) = utc("9999-12-31 23:59:30")
    assert Cron("0 0 * * *", "UTC").after(end) is None


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("60 * * * *", "minute '60' of '60 \\* \\* \\* \\*' is not valid: 0 to 59"),
        ("0 24 * * *", "hour '24'"),
        ("0 0 32 * *", "day '32'"),
        ("0 0 * foo *", "month 'foo'"),
        ("0 0 * * 8", "weekday '8'"),
        ("R * * * *", "minute 'R'"),
        ("H * * * *", "minute 'H'"),
        ("0 2 * *", "five fields .*, got 4"),
        ("0 0 2 * * *", "got 6 .*; for seconds use every="),
        ("@noon", "'@noon' is not valid"),
        ("0 0 31 2 *", "never comes"),
    ],
)
def test_a_bad_pattern_is_refused_by_the_part_that_is_wrong(pattern, said):
    with pytest.raises(ValueError, match=said):
        Cron(pattern, "UTC")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Europe/Berlln", "did you mean 'Europe/Berlin'"),
        ("America", "'America' is not in the IANA database"),
        ("../etc/passwd", "IANA"),
        ("Mars/Olympus_Mons_Base", "IANA"),
    ],
)
def test_an_unknown_zone_is_refused_by_its_name(name, said):
    with pytest.raises(ValueError, match=said):
        Cron("0 2 * * *", name)


def test_without_croniter_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "croniter", None)
    with pytest.raises(MissingExtra, match=r'pip install "fastapi-taskflow\[scheduler\]"'):
        Cron("0 2 * * *", "UTC")


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("0 * * * *", "every hour"),
        ("20 * * * *", "every hour at minute 20"),
        ("@daily", "every day at 00:00"),
        ("0 2 * * *", "every day at 02:00"),
        ("30 8,17 * * mon-fri", "Monday to Friday at 08:30 and 17:30"),
        ("0 9 * * 1,5", "every Monday and Friday at 09:00"),
        ("0 4 1 * *", "on day 1 of every month at 04:00"),
        ("0 4 L * *", "on the last day of every month at 04:00"),
        ("0 0 25 12 *", "on day 25 of December at 00:00"),
        ("*/10 * * jan *", "every 10 minutes, in January"),
        ("1-5 2 * * *", "by cron 1-5 2 * * *"),
        ("0 0 13 * 5", "by cron 0 0 13 * 5"),
    ],
)
def test_the_usual_patterns_have_words(pattern, words):
    assert Cron(pattern, "UTC").words == words
