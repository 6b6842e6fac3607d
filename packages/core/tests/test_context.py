"""What code inside a task can ask and say."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from fastapi_taskflow_core import (
    InMemoryLogger,
    Progress,
    TaskContext,
    TaskManager,
    TaskStatus,
    get_task_context,
    task_log,
    task_progress,
)


async def run(manager: TaskManager, func: Any, *args: Any, **options: Any) -> str:
    tasks = manager.new_list()
    task_id = tasks.add_task(func, *args, **options)
    await tasks.finish()
    return task_id


def deep() -> TaskContext | None:
    return get_task_context()


async def test_any_code_below_a_task_knows_its_task(manager: TaskManager) -> None:
    seen: list[TaskContext | None] = []

    async def on_loop() -> None:
        seen.append(deep())
        seen.append(await asyncio.create_task(asyncio.to_thread(deep)))

    def in_thread() -> None:
        seen.append(deep())

    first = await run(manager, on_loop, tags={"tenant": "acme"})
    second = await run(manager, in_thread)
    expected = TaskContext(first, "on_loop", 0, {"tenant": "acme"})
    assert seen == [expected, expected, TaskContext(second, "in_thread", 0, {})]


async def test_outside_a_task_there_is_no_context(manager: TaskManager) -> None:
    async def work() -> None:
        """Nothing."""

    assert get_task_context() is None
    await run(manager, work)
    assert get_task_context() is None


async def test_attempts_are_counted_from_0(manager: TaskManager) -> None:
    attempts: list[int] = []

    @manager.task(retries=2)
    def work() -> None:
        context = get_task_context()
        assert context is not None
        attempts.append(context.attempt)
        task_log("trying")
        raise ValueError

    task_id = await run(manager, work)
    lines = await manager.history.logs(task_id)
    assert attempts == [0, 1, 2]
    assert [(line.seq, line.attempt) for line in lines] == [(1, 0), (2, 1), (3, 2)]


async def test_lines_are_stored_and_sent_to_observers() -> None:
    log = InMemoryLogger()
    manager = TaskManager(loggers=[log])

    async def on_loop() -> None:
        task_log("begun", rows=3)
        task_log(404, level="warning")  # type: ignore[arg-type]

    def in_thread() -> None:
        task_log("from a thread", level="error", worker=threading.current_thread().name)

    first, second = await run(manager, on_loop), await run(manager, in_thread)
    lines = [*await manager.history.logs(first), *await manager.history.logs(second)]
    assert [(line.level, line.message) for line in lines] == [
        ("info", "begun"),
        ("warning", "404"),
        ("error", "from a thread"),
    ]
    assert [event.message for event in log.log_events] == ["begun", "404", "from a thread"]
    assert log.log_events[0].extra == {"rows": 3}


async def test_a_task_is_read_with_its_lines(manager: TaskManager) -> None:
    async def work() -> None:
        task_log("done")

    task = await manager.history.get(await run(manager, work))
    assert [line.message for line in task.logs] == ["done"]


def test_a_line_outside_a_task_goes_to_the_standard_logger(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "fastapi_taskflow.task"):
        task_log("100 % alone", level="debug", rows=3)
    (record,) = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == (
        "fastapi_taskflow.task",
        "DEBUG",
        "100 % alone",
    )


async def test_beyond_a_thousand_lines_an_attempt_says_only_that_there_were_more(
    manager: TaskManager,
) -> None:
    async def chatty() -> None:
        for number in range(1_500):
            task_log(f"line {number}")

    lines = await manager.history.logs(await run(manager, chatty), limit=2_000)
    assert len(lines) == 1_001
    assert lines[-1].level == "warning"
    assert "not kept" in lines[-1].message


async def test_a_line_is_cut_at_eight_kilobytes(manager: TaskManager) -> None:
    async def verbose() -> None:
        task_log("x" * 10_000)

    (line,) = await manager.history.logs(await run(manager, verbose))
    assert len(line.message) == 8_192


async def test_progress_is_what_was_said_last(manager: TaskManager) -> None:
    async def on_loop() -> None:
        task_progress(1, 10)
        task_progress(5.5, 10, "half way")

    def in_thread() -> None:
        task_progress(7)

    first, second = await run(manager, on_loop), await run(manager, in_thread)
    assert (await manager.history.get(first)).progress == Progress(5.5, 10, "half way")
    assert (await manager.history.get(second)).progress == Progress(7)


def test_progress_outside_a_task_is_nothing() -> None:
    task_progress(1, 2)


@pytest.mark.parametrize(
    ("done", "total", "error"),
    [(-1, None, ValueError), ("1", None, TypeError), (1, -1, ValueError), (1, "all", TypeError)],
)
def test_wrong_progress_is_refused_inside_and_outside_of_tasks(
    done: Any, total: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="done|total"):
        task_progress(done, total)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        task_log("hello", level="loud")  # type: ignore[arg-type]


class Mute(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


async def test_an_error_without_words_fails_its_task_like_any_other(manager: TaskManager) -> None:
    def work() -> None:
        raise Mute

    task = await manager.history.get(await run(manager, work))
    assert task.status is TaskStatus.FAILED
    assert (task.error or "").startswith("Mute")


async def test_a_traceback_begins_at_the_function_of_the_task(manager: TaskManager) -> None:
    def work() -> None:
        raise ValueError("no")

    async def async_work() -> None:
        raise ValueError("no")

    for func in (work, async_work):
        task = await manager.history.get(await run(manager, func))
        frames = [line for line in (task.stacktrace or "").splitlines() if "File" in line]
        assert len(frames) == 1
        assert __file__ in frames[0]


async def test_a_huge_error_is_cut(manager: TaskManager) -> None:
    def work() -> None:
        raise ValueError("x" * 1_000_000)

    task = await manager.history.get(await run(manager, work))
    assert len(task.error or "") == 32_768
    assert len(task.stacktrace or "") == 65_536


async def test_an_error_without_words_is_told_by_its_name(manager: TaskManager) -> None:
    async def work() -> None:
        raise KeyError

    assert (await manager.history.get(await run(manager, work))).error == "KeyError"


async def test_text_that_utf8_cannot_hold_is_spelled_out(manager: TaskManager) -> None:
    broken = "caf\udce9.txt"

    async def reads() -> None:
        task_log(broken)
        task_progress(1, 2, broken)
        raise OSError(broken)

    task_id = await run(manager, reads, tags={"file": broken})
    task = await manager.history.get(task_id)
    spelled = r"caf\udce9.txt"
    assert task.error == f"OSError: {spelled}"
    assert spelled in (task.stacktrace or "")
    assert [line.message for line in task.logs] == [spelled]
    assert task.progress == Progress(1, 2, spelled)
    assert task.tags == {"file": spelled}
