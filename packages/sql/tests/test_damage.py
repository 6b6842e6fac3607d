"""Rows that nobody here wrote are shown as what they are, and harm no other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from row_tools import read, row_of

from fastapi_taskflow_core.records import LogEntry, TaskRecord, TaskStatus
from fastapi_taskflow_sql import rows

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOUND = TaskRecord("a", "work", NOON)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.sampled_from(['{"a": 1}', "[[1]]", "[1, 2]", "{", "[" * 5_000, "null", '[["x", 0, 0, 0]]'])
)


def damaged(**changes: object) -> TaskRecord:
    return read({**row_of(SOUND, rows.RECORD_COLUMNS), **changes})


@given(st.dictionaries(st.sampled_from(rows.RECORD_COLUMNS), VALUES, max_size=4))
def test_any_row_gives_a_record_that_is_sound_in_itself(changes: dict[str, object]) -> None:
    record = damaged(**changes)
    assert isinstance(record.status, TaskStatus)
    assert isinstance(record.created_at, datetime)
    assert isinstance(record.task_id + record.func_name + record.queue, str)
    assert read(row_of(record, rows.RECORD_COLUMNS)) == record


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("tags", "{not json", "Expecting property name"),
        ("tags", '{"a": 1}', "tags holds int"),
        ("earlier", "[[1, 2]]", "missing 2 required positional arguments"),
        ("progress", '["half", null, null]', "progress holds str"),
        ("status", "resting", "'resting' is not a valid TaskStatus"),
        ("created_at", "yesterday", "created_at is str"),
        ("created_at", 2**62, "date value out of range"),
        ("epoch", 2**62, "a counter is out of range"),
        ("epoch", 2**31 - 1, "a counter is out of range"),
        ("source", "elsewhere", "source is 'elsewhere'"),
        ("payload", "text", "payload is str"),
        ("func_name", b"\xff", "func_name is bytes"),
    ],
)
def test_a_damaged_task_has_failed_and_says_why(column: str, value: object, reason: str) -> None:
    record = damaged(**{column: value})
    assert record.status is TaskStatus.FAILED
    assert (record.error or "").startswith("this task is stored in a form that cannot be read: ")
    assert reason in (record.error or "")


@pytest.mark.parametrize(
    "changes", [{"extra": "{"}, {"time": "now"}, {"level": "loud"}, {"message": b"\xff"}]
)
def test_a_damaged_line_says_so(changes: dict[str, object]) -> None:
    row = rows.log_row("a", LogEntry(3, NOON, 0, "info", "hello"))[1:]
    names = ("seq", "time", "attempt", "level", "message", "extra")
    line = rows.to_log(
        tuple(changes.get(name, value) for name, value in zip(names, row, strict=True))
    )
    assert (line.seq, line.level) == (3, "warning")
    assert line.message.startswith("this line is stored in a form that cannot be read")
