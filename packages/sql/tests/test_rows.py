"""What is written of a record is what is read again."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from row_tools import read, row_of

from fastapi_taskflow_core.records import (
    FINISHED,
    Attempt,
    LogEntry,
    Progress,
    TaskRecord,
    TaskStatus,
)
from fastapi_taskflow_sql import rows
from fastapi_taskflow_sql.schema import LOGS, TASKS

MOMENTS = st.datetimes(timezones=st.just(UTC))
TEXTS = st.text(max_size=20)
NUMBERS = st.integers(0, 1000)
RECORDS = st.builds(
    TaskRecord,
    task_id=TEXTS,
    func_name=TEXTS,
    created_at=MOMENTS,
    status=st.sampled_from(TaskStatus),
    start_time=st.none() | MOMENTS,
    end_time=st.none() | MOMENTS,
    retries_used=NUMBERS,
    error=st.none() | TEXTS,
    stacktrace=st.none() | TEXTS,
    tags=st.none() | st.dictionaries(TEXTS, TEXTS, max_size=3),
    source=st.sampled_from(["manual", "scheduled"]),
    priority=st.none() | st.integers(-20, 20),
    executor=st.sampled_from(["async", "thread", "process"]),
    queue=TEXTS,
    idempotency_key=st.none() | TEXTS,
    run_at=st.none() | MOMENTS,
    earlier=st.lists(
        st.builds(Attempt, NUMBERS, MOMENTS, st.none() | MOMENTS, st.none() | TEXTS), max_size=3
    ).map(tuple),
    progress=st.none()
    | st.builds(Progress, st.floats(0, 1e9), st.none() | NUMBERS, st.none() | TEXTS),
    result=st.none() | TEXTS,
    retry_of=st.none() | TEXTS,
    payload=st.none() | st.binary(max_size=20),
    persist=st.booleans(),
    requeue_on_interrupt=st.booleans(),
    owner=st.none() | TEXTS,
    epoch=NUMBERS,
    crashes=NUMBERS,
    cancel_requested=st.booleans(),
)
PLAIN = st.builds(
    TaskRecord,
    task_id=TEXTS,
    func_name=TEXTS,
    created_at=MOMENTS,
    status=st.sampled_from(sorted(FINISHED)),
    start_time=st.none() | MOMENTS,
    end_time=st.none() | MOMENTS,
    executor=st.sampled_from(["async", "thread", "process"]),
    queue=TEXTS,
    owner=st.none() | TEXTS,
)


@given(RECORDS | PLAIN)
def test_a_record_survives_its_row(record: TaskRecord) -> None:
    written = row_of(record, rows.COLUMNS)
    assert read(written) == record
    assert {type(value) for value in written.values()} <= {str, int, float, bytes}


@given(PLAIN)
def test_the_short_row_of_a_plain_record_leaves_out_only_defaults(record: TaskRecord) -> None:
    assert rows.is_plain(record)
    short, full = row_of(record, rows.PLAIN_COLUMNS), row_of(record, rows.COLUMNS)
    assert short == {name: full[name] for name in short}
    for column in TASKS.columns:
        if column.name not in short:
            value = full.get(column.name)
            assert column.default == (None if value is None else repr(value))


@given(st.lists(RECORDS | PLAIN, max_size=4))
def test_rows_leave_out_what_is_null_in_all_of_them(records: list[TaskRecord]) -> None:
    held, table = rows.to_rows(records, rows.COLUMNS)
    assert len(table) == len(records)
    for record, row in zip(records, table, strict=True):
        values = dict(zip(held, row, strict=True))
        assert {name: it for name, it in values.items() if it is not None} == row_of(
            record, rows.COLUMNS
        )
    assert all(any(value is not None for value in column) for column in zip(*table, strict=True))


def test_what_is_left_out_of_an_insert_is_null() -> None:
    assert all(column.default is None for column in TASKS.columns if column.null)


@given(RECORDS)
def test_what_differs_elsewhere_or_is_unfinished_is_not_plain(record: TaskRecord) -> None:
    plain = TaskRecord(
        record.task_id,
        record.func_name,
        record.created_at,
        record.status,
        record.start_time,
        record.end_time,
        queue=record.queue,
        executor=record.executor,
        owner=record.owner,
    )
    assert rows.is_plain(record) == (record.status.finished and record == plain)


def test_a_task_that_simply_succeeded_is_plain() -> None:
    start = datetime(2026, 5, 4, tzinfo=UTC)
    task = TaskRecord("1", "send", start, TaskStatus.SUCCESS, start, start, owner="a", queue="x")
    assert rows.is_plain(task)
    task.persist = True
    assert not rows.is_plain(task)


@given(
    st.builds(
        LogEntry,
        NUMBERS,
        MOMENTS,
        NUMBERS,
        st.sampled_from(["debug", "info", "warning", "error"]),
        TEXTS,
        st.none() | st.dictionaries(TEXTS, st.none() | st.booleans() | NUMBERS | TEXTS, max_size=3),
    )
)
def test_a_log_line_survives_its_row(entry: LogEntry) -> None:
    assert rows.to_log(rows.log_row("task", entry)[1:]) == entry


def test_rows_and_schema_have_the_same_columns() -> None:
    assert {column.name for column in TASKS.columns} == set(rows.COLUMNS)
    assert {it.name for it in fields(TaskRecord)} - {"logs"} == set(rows.RECORD_COLUMNS)
    names = [column.name for column in LOGS.columns]
    assert names[1:] == [it.name for it in fields(LogEntry)]
