"""Every record and log line comes back from its text as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fastapi_taskflow_core.records import (
    Attempt,
    LogEntry,
    Progress,
    TaskRecord,
    TaskStatus,
)
from fastapi_taskflow_redis.rows import from_line, from_text, to_line, to_text

FIRST, LAST = datetime(1970, 1, 1), datetime(9999, 12, 31)  # noqa: DTZ001  hypothesis adds the zone
TIMES = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
ANY_TEXT = st.text()
NUMBERS = st.integers(-(2**63), 2**63)
COUNTERS = st.integers(0, 2**31 - 2)
FLOATS = st.floats(allow_nan=False)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """That, or None."""
    return st.none() | strategy


RECORDS = st.builds(
    TaskRecord,
    task_id=ANY_TEXT,
    func_name=ANY_TEXT,
    created_at=TIMES,
    status=st.sampled_from(TaskStatus),
    start_time=maybe(TIMES),
    end_time=maybe(TIMES),
    retries_used=COUNTERS,
    error=maybe(ANY_TEXT),
    stacktrace=maybe(ANY_TEXT),
    tags=maybe(st.dictionaries(ANY_TEXT, ANY_TEXT)),
    source=st.sampled_from(["manual", "scheduled"]),
    priority=maybe(NUMBERS),
    executor=st.sampled_from(["async", "thread", "process"]),
    queue=ANY_TEXT,
    idempotency_key=maybe(ANY_TEXT),
    run_at=maybe(TIMES),
    earlier=st.lists(st.builds(Attempt, NUMBERS, TIMES, maybe(TIMES), maybe(ANY_TEXT))).map(tuple),
    progress=maybe(st.builds(Progress, FLOATS, maybe(FLOATS), maybe(ANY_TEXT))),
    result=maybe(ANY_TEXT),
    retry_of=maybe(ANY_TEXT),
    payload=maybe(st.binary()),
    persist=st.booleans(),
    requeue_on_interrupt=st.booleans(),
    owner=maybe(ANY_TEXT),
    epoch=COUNTERS,
    crashes=COUNTERS,
    cancel_requested=st.booleans(),
)


@given(RECORDS)
def test_a_record_comes_back_equal(record: TaskRecord) -> None:
    assert from_text(to_text(record), record.task_id) == record


@given(st.builds(LogEntry, NUMBERS, TIMES, NUMBERS, st.just("info"), ANY_TEXT))
def test_a_line_comes_back_equal(entry: LogEntry) -> None:
    assert from_line(to_line(entry).encode()) == entry


def test_a_text_that_utf8_cannot_hold_is_no_obstacle() -> None:
    record = TaskRecord("1", "f", datetime(2026, 1, 1, tzinfo=UTC), error="\ud800")
    assert from_text(to_text(record), record.task_id) == record
