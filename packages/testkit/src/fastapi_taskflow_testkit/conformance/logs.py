"""Log lines: a sequence of their own for each task."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest

from fastapi_taskflow_core.backends.base import Backend, Batch, Written
from fastapi_taskflow_core.records import LogLevel

from ..builders import ME, a_line, a_task, ended, put, say, stored, tasks
from .fields import TEXTS


async def test_lines_come_back_in_their_order(backend: Backend, second: Backend) -> None:
    task = a_task()
    lines = [a_line(seq) for seq in range(1, 6)]
    await put(backend, task)
    await say(backend, task.task_id, [lines[4], lines[1]])
    await say(backend, task.task_id, [lines[0], lines[2], lines[3]])
    assert list(await second.logs(task.task_id)) == lines


@pytest.mark.parametrize("level", get_args(LogLevel))
async def test_every_level_comes_back(backend: Backend, level: LogLevel) -> None:
    task, line = a_task(), a_line(level=level, attempt=3)
    await put(backend, task)
    await say(backend, task.task_id, [line])
    assert list(await backend.logs(task.task_id)) == [line]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_any_message_comes_back_equal(backend: Backend, text: str) -> None:
    task, line = a_task(), a_line(message=text)
    await put(backend, task)
    await say(backend, task.task_id, [line])
    assert list(await backend.logs(task.task_id)) == [line]


@pytest.mark.parametrize(
    "extra",
    [None, {}, {"n": 1, "x": 0.5, "ok": True, "no": None, "list": [1, "a"], "deep": {"ü": "\x00"}}],
)
async def test_structured_fields_come_back_equal(
    backend: Backend, extra: dict[str, Any] | None
) -> None:
    task, line = a_task(), a_line(extra=extra)
    await put(backend, task)
    await say(backend, task.task_id, [line])
    (found,) = await backend.logs(task.task_id)
    assert (found.extra or None) == (extra or None)


async def test_repeating_a_line_changes_nothing(backend: Backend) -> None:
    task, line = a_task(), a_line(1)
    await put(backend, task)
    await say(backend, task.task_id, [line])
    await say(backend, task.task_id, [line, a_line(2)])
    lines = await backend.logs(task.task_id)
    assert [each.seq for each in lines] == [1, 2]
    assert lines[0] == line


async def test_lines_are_read_in_pieces(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    await say(backend, task.task_id, [a_line(seq) for seq in range(1, 11)])
    first = await backend.logs(task.task_id, limit=4)
    rest = await backend.logs(task.task_id, after=first[-1].seq, limit=100)
    assert [line.seq for line in (*first, *rest)] == list(range(1, 11))
    assert len(first) == 4
    assert list(await backend.logs(task.task_id, after=10)) == []


async def test_the_latest_lines_are_found_without_the_others(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    numbers = [*range(1, 11), 1_000_001, 1_000_002]  # as of a task that changed hands
    await say(backend, task.task_id, [a_line(seq) for seq in numbers])

    async def latest(after: int, limit: int) -> list[int]:
        lines = await backend.logs(task.task_id, after, limit, latest=True)
        return [line.seq for line in lines]

    assert await latest(0, 4) == numbers[-4:]
    assert await latest(0, 100) == numbers
    assert await latest(9, 100) == numbers[-3:]
    assert await latest(1_000_001, 4) == [1_000_002]
    assert await latest(1_000_002, 4) == []
    assert await latest(0, 0) == []


async def test_each_task_has_lines_of_its_own(backend: Backend) -> None:
    one, other, silent = tasks(3)
    await put(backend, one, other, silent)
    lines = {one.task_id: a_line(1, message="one"), other.task_id: a_line(1, message="other")}
    await backend.write(Batch(ME, logs=list(lines.items())))
    for task_id, line in lines.items():
        assert list(await backend.logs(task_id)) == [line]
    assert list(await backend.logs(silent.task_id)) == []


async def test_lines_may_come_with_their_task_or_before_it(backend: Backend) -> None:
    task = a_task()
    await say(backend, task.task_id, [a_line(1)])
    await backend.write(Batch(ME, inserts=[task], logs=[(task.task_id, a_line(2))]))
    assert [line.seq for line in await backend.logs(task.task_id)] == [1, 2]


async def test_a_finished_task_still_takes_lines(backend: Backend) -> None:
    task = ended(a_task())
    await put(backend, task)
    batch = Batch(ME, logs=[(task.task_id, a_line())])
    assert await backend.write(batch) == Written()
    assert len(await backend.logs(task.task_id)) == 1


async def test_lines_are_no_part_of_the_record(backend: Backend) -> None:
    task = a_task(logs=(a_line(),))
    await put(backend, task)
    assert (await stored(backend, task)).logs == ()
    assert list(await backend.logs(task.task_id)) == []


async def test_a_thousand_lines_are_kept_with_their_times(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    start = a_line().time
    lines = [a_line(i, time=start + timedelta(microseconds=i)) for i in range(1, 1_001)]
    await say(backend, task.task_id, lines)
    assert list(await backend.logs(task.task_id, limit=2_000)) == lines


async def test_a_task_that_is_not_there_has_no_lines(backend: Backend) -> None:
    assert list(await backend.logs("no such task")) == []
