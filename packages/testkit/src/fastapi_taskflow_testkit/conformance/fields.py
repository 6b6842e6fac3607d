"""What is written comes back equal, whatever it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fastapi_taskflow_core.backends.base import Backend
from fastapi_taskflow_core.records import (
    Attempt,
    ExecutorKind,
    Progress,
    ProgressMark,
    Source,
    TaskRecord,
    TaskStatus,
)

from ..builders import SECOND, a_full_task, a_task, changed, now, put, stored, update

TEXTS = {
    "umlauts": "Grüße, Ýmir; ﬁn",
    "decomposed": "e\u0301 is not \u00e9",
    "emoji": "👩‍🚀🏳️‍🌈",
    "NUL": "before\x00after",
    "controls": "\t\r\n\x1b[31m\x7f\u2028",
    "quotes": """'"`\\%_$1:name{}""",
    "right to left": "\u202eשלום",
    "blank": "  ",
    "empty": "",
    "long": "x" * 100_000,
}


async def _round_trip(backend: Backend, task: TaskRecord) -> None:
    await put(backend, task)
    found = await stored(backend, task)
    for name in TaskRecord.__dataclass_fields__:
        was, now = getattr(task, name), getattr(found, name)
        assert now == was, f"{name} was written as {was!r:.200} and read as {now!r:.200}"
        assert type(now) is type(was), f"{name} came back as {type(now)}, not {type(was)}"


async def test_a_task_with_nothing_set_comes_back_equal(backend: Backend) -> None:
    await _round_trip(backend, a_task())


async def test_a_task_with_everything_set_comes_back_equal(backend: Backend) -> None:
    await _round_trip(backend, a_full_task())


async def test_what_is_remembered_of_a_tasks_progress_comes_back(backend: Backend) -> None:
    marks = tuple(ProgressMark(n // 3, now() + n * SECOND, 0.5 * n) for n in range(6))
    task = a_task(progress=Progress(7, None, None, marks))
    await put(backend, task)
    found = (await stored(backend, task)).progress
    assert found == task.progress
    assert found is not None
    assert found.marks == marks


@pytest.mark.parametrize("status", TaskStatus)
async def test_every_status_comes_back(backend: Backend, status: TaskStatus) -> None:
    await _round_trip(backend, a_task(status=status))


@pytest.mark.parametrize("source", ["manual", "scheduled"])
async def test_every_source_comes_back(backend: Backend, source: Source) -> None:
    await _round_trip(backend, a_task(source=source))


@pytest.mark.parametrize("executor", ["async", "thread", "process"])
async def test_every_executor_comes_back(backend: Backend, executor: ExecutorKind) -> None:
    await _round_trip(backend, a_task(executor=executor))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_any_text_comes_back_equal(backend: Backend, text: str) -> None:
    task = a_task(error=text, stacktrace=text, result=text, tags={"name": text[:256]})
    await _round_trip(backend, task)


@pytest.mark.parametrize("priority", [0, 1, 10, -1, 2**31 - 1, -(2**31)])
async def test_any_priority_comes_back(backend: Backend, priority: int) -> None:
    await _round_trip(backend, a_task(priority=priority))


@pytest.mark.parametrize("payload", [b"", b"\x00\xff\xfe'\"", bytes(1_000_000)])
async def test_a_payload_comes_back_byte_by_byte(backend: Backend, payload: bytes) -> None:
    await _round_trip(backend, a_task(payload=payload))


@pytest.mark.parametrize("microsecond", [0, 1, 500_000, 999_999])
async def test_times_keep_their_microseconds(backend: Backend, microsecond: int) -> None:
    moment = datetime(2026, 3, 29, 1, 30, 59, microsecond, tzinfo=UTC)
    await _round_trip(
        backend,
        a_task(
            created_at=moment,
            start_time=moment,
            run_at=moment,
            earlier=(Attempt(0, moment, moment, "no"),),
        ),
    )


async def test_times_come_back_in_utc(backend: Backend) -> None:
    task = a_full_task()
    await put(backend, task)
    found = await stored(backend, task)
    for time in (found.created_at, found.start_time, found.run_at, found.earlier[0].started_at):
        assert time is not None
        assert time.tzinfo is UTC


async def test_an_update_changes_every_field_that_may_change(backend: Backend) -> None:
    full = a_full_task()
    first = changed(
        full,
        status=TaskStatus.PENDING,
        start_time=None,
        end_time=None,
        retries_used=0,
        error=None,
        stacktrace=None,
        run_at=None,
        earlier=(),
        progress=None,
        result=None,
        crashes=0,
        cancel_requested=False,
    )
    await put(backend, first)
    await update(backend, full)
    assert await stored(backend, full) == full
