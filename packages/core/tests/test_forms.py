"""What is stored of the parts of a task gives those parts again."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_taskflow_core.backends.damage import DAMAGE
from fastapi_taskflow_core.backends.forms import (
    from_attempts,
    from_progress,
    key_hash,
    micros,
    moment,
    to_attempts,
    to_progress,
    to_tags,
)
from fastapi_taskflow_core.records import Attempt, Progress, ProgressMark

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STORED = 1_772_366_400_000_000
MOMENTS = st.datetimes(timezones=st.just(UTC))
NUMBERS = st.integers(0, 1000)
TEXTS = st.none() | st.text(max_size=20)
ATTEMPTS = st.lists(st.builds(Attempt, NUMBERS, MOMENTS, st.none() | MOMENTS, TEXTS)).map(tuple)
MARKS = st.lists(st.builds(ProgressMark, NUMBERS, MOMENTS, NUMBERS)).map(tuple)
PROGRESS = st.builds(Progress, st.floats(0, 1e9), st.none() | NUMBERS, TEXTS, MARKS)


@given(MOMENTS)
def test_times_keep_their_microseconds(time: datetime) -> None:
    assert moment(micros(time)) == time


@pytest.mark.parametrize("other", ["Key", "key ", "kéy", "ke\u0301y", "", "key" * 10_000])
def test_keys_that_differ_in_a_byte_differ(other: str) -> None:
    assert key_hash(other) != key_hash("key")


@given(ATTEMPTS)
def test_attempts_come_back_from_json(attempts: tuple[Attempt, ...]) -> None:
    assert to_attempts(json.loads(json.dumps(from_attempts(attempts)))) == attempts


@given(PROGRESS)
def test_a_progress_comes_back_from_json_with_its_marks(progress: Progress) -> None:
    found = to_progress(json.loads(json.dumps(from_progress(progress))))
    assert (found, found.marks) == (progress, progress.marks)


def test_the_forms_are_those_of_rows_that_are_stored_already() -> None:
    assert micros(NOON) == STORED
    assert from_attempts([Attempt(0, NOON, None, "no")]) == [[0, STORED, None, "no"]]
    progress = Progress(2.5, 10, "half", (ProgressMark(1, NOON, 2.5),))
    assert from_progress(progress) == [2.5, 10, "half", [[1, STORED, 2.5]]]
    assert key_hash("key").hex().startswith("2c70e12b7a0646f9")
    assert to_progress([2.5, None, None]) == Progress(2.5)


@pytest.mark.parametrize("stored", [[[1, 2]], [["x", 0, 0, None]], 7, [[1, 0, None, 5]], [None]])
def test_what_are_no_attempts_is_damage(stored: object) -> None:
    with pytest.raises(DAMAGE):
        to_attempts(stored)  # type: ignore[arg-type]


@pytest.mark.parametrize("stored", [["half", None, None], [], None, [1, None, None, [[1]]]])
def test_what_is_no_progress_is_damage(stored: object) -> None:
    with pytest.raises(DAMAGE):
        to_progress(stored)  # type: ignore[arg-type]


@pytest.mark.parametrize("stored", [{"a": 1}, ["a"], None])
def test_what_are_no_tags_is_damage(stored: object) -> None:
    with pytest.raises(DAMAGE):
        to_tags(stored)
