"""Observers hear of everything in order, and none harms a task or another observer."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from fastapi_taskflow_core.observers import (
    FileLogger,
    InMemoryLogger,
    LifecycleEvent,
    LogEvent,
    LoggingBridge,
    ObserverChain,
    StdoutLogger,
    TaskObserver,
)
from fastapi_taskflow_core.records import LogLevel, TaskStatus

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def said(message: str = "hello", level: LogLevel = "info", **changes: Any) -> LogEvent:
    facts: dict[str, Any] = {"task_id": "id", "func_name": "func", "time": NOON, "attempt": 0}
    return LogEvent(**facts | {"level": level, "message": message} | changes)


def became(status: TaskStatus = TaskStatus.RUNNING) -> LifecycleEvent:
    return LifecycleEvent("id", "func", status, TaskStatus.PENDING, NOON, 0)


class Waiting(TaskObserver):
    """Notes what it hears, after waiting once for everything."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.heard_any = asyncio.Event()

    async def startup(self) -> None:
        self.heard.append("startup")

    async def on_log(self, event: LogEvent) -> None:
        await asyncio.sleep(0)
        self.heard.append(event.message)
        self.heard_any.set()

    async def on_lifecycle(self, event: LifecycleEvent) -> None:
        await asyncio.sleep(0)
        self.heard.append(event.status.value)

    async def close(self) -> None:
        self.heard.append("close")


class Hanging(TaskObserver):
    """Never returns, and does not let itself be cancelled."""

    async def on_log(self, event: LogEvent) -> None:
        await self.hang()

    async def close(self) -> None:
        await self.hang()

    async def hang(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)


class Raising(TaskObserver):
    """Raises from wherever it is called."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def startup(self) -> None:
        raise self.error

    async def on_log(self, event: LogEvent) -> None:
        raise self.error

    async def close(self) -> None:
        raise self.error


class RaisingAtOnce(InMemoryLogger):
    """Raises without waiting for anything."""

    def log(self, event: LogEvent) -> None:
        raise OSError("broken")


async def test_events_arrive_in_order_between_startup_and_close() -> None:
    observer = Waiting()
    chain = ObserverChain([observer])
    await chain.startup()
    chain.publish(said("one"))
    chain.publish(became())
    chain.publish(said("two"))
    await chain.close(5)
    assert observer.heard == ["startup", "one", "running", "two", "close"]


async def test_events_arrive_although_nobody_started_the_chain() -> None:
    observer = Waiting()
    ObserverChain([observer]).publish(said("one"))
    await observer.heard_any.wait()
    assert observer.heard == ["startup", "one"]


async def test_a_flush_waits_for_delivery_and_leaves_the_chain_open() -> None:
    observer, immediate = Waiting(), InMemoryLogger()
    chain = ObserverChain([observer, immediate])
    for message in ("one", "two"):
        chain.publish(said(message))
        await chain.flush(5)
        assert observer.heard[-1] == immediate.log_events[-1].message == message
    assert observer.heard == ["startup", "one", "two"]


async def test_an_observer_that_never_waits_hears_at_once() -> None:
    observer = InMemoryLogger()
    ObserverChain([observer]).publish(said())
    assert observer.log_events == [said()]


async def test_a_subclass_that_waits_is_given_a_queue() -> None:
    class Slow(InMemoryLogger):
        async def on_log(self, event: LogEvent) -> None:
            await asyncio.sleep(0)
            await super().on_log(event)

    observer = Slow()
    chain = ObserverChain([observer])
    chain.publish(said())
    assert observer.log_events == []
    await chain.close(5)
    assert observer.log_events == [said()]


def test_a_chain_moves_with_its_publisher_from_event_loop_to_event_loop() -> None:
    observer = Waiting()
    chain = ObserverChain([observer])

    async def leave_early(message: str) -> None:
        chain.publish(said(message))

    async def start_and_stop() -> None:
        await chain.startup()
        chain.publish(said("last"))
        await chain.close(5)

    asyncio.run(leave_early("first"))
    asyncio.run(leave_early("second"))
    asyncio.run(start_and_stop())
    assert [each for each in observer.heard if each != "startup"][-2:] == ["last", "close"]
    assert chain.health()[0].waiting == 0


def test_what_is_published_outside_an_event_loop_waits_for_one() -> None:
    observer = Waiting()
    chain = ObserverChain([observer])
    chain.publish(said("early"))
    asyncio.run(chain.close(5))
    assert observer.heard == ["startup", "early", "close"]


@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError()], ids=repr)
async def test_an_observer_that_raises_is_logged_once_and_harms_nobody(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    healthy = Waiting()
    chain = ObserverChain([Raising(error), RaisingAtOnce(), healthy])
    await chain.startup()
    chain.publish(said("one"))
    chain.publish(said("two"))
    await chain.close(5)
    assert healthy.heard == ["startup", "one", "two", "close"]
    assert [each.failures for each in chain.health()] == [4, 2, 0]
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


async def test_an_observer_that_hangs_delays_nobody_and_closing_is_bounded() -> None:
    healthy = Waiting()
    chain = ObserverChain([Hanging(), healthy])
    await chain.startup()
    chain.publish(said("one"))
    chain.publish(said("two"))
    async with asyncio.timeout(30):
        await chain.close(0.1)
    assert healthy.heard == ["startup", "one", "two", "close"]
    assert [each.dropped for each in chain.health()] == [1, 0]


async def test_a_full_queue_drops_counts_and_warns_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chain = ObserverChain([Waiting()])
    for n in range(10_005):
        chain.publish(said(str(n)))
    assert (chain.health()[0].waiting, chain.health()[0].dropped) == (10_000, 5)
    assert len(caplog.records) == 1
    await chain.close(10)


def test_a_chain_says_whether_anybody_listens() -> None:
    assert not ObserverChain()
    assert ObserverChain([TaskObserver()])


@pytest.mark.parametrize("wrong", [print, InMemoryLogger])
def test_what_is_no_observer_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"loggers\[1\]"):
        ObserverChain([InMemoryLogger(), wrong])


@pytest.mark.parametrize("mode", ["rotate", "watched"])
@pytest.mark.parametrize("started", [True, False])
async def test_a_file_gets_a_line_per_event(tmp_path: Path, mode: Any, started: bool) -> None:
    path = tmp_path / "new" / "tasks.log"
    chain = ObserverChain([FileLogger(path, mode=mode, log_lifecycle=True)])
    if started:
        await chain.startup()
    chain.publish(said("hidden", level="debug"))
    chain.publish(said("hello \N{SNOWMAN} \ud800"))
    chain.publish(became())
    await chain.close(5)
    assert path.read_text("utf-8").splitlines() == [
        "[id] [func] 2026-01-01T12:00:00 hello \N{SNOWMAN} \\ud800",
        "[id] [func] 2026-01-01T12:00:00 -- RUNNING",
    ]


def test_a_file_has_the_line_at_once_where_nothing_was_started(tmp_path: Path) -> None:
    logger = FileLogger(tmp_path / "log")
    logger.log(said())
    logger.lifecycle(became())
    assert (tmp_path / "log").read_text() == "[id] [func] 2026-01-01T12:00:00 hello\n"
    asyncio.run(logger.close())


async def test_a_file_rotates_before_it_is_too_large(tmp_path: Path) -> None:
    logger = FileLogger(str(tmp_path / "log"), max_bytes=100, backup_count=2)
    await logger.startup()
    for n in range(20):
        logger.log(said(f"line {n}"))
    await logger.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert all(each.stat().st_size <= 100 for each in tmp_path.iterdir())


def test_a_watched_file_is_made_anew_when_it_was_moved(tmp_path: Path) -> None:
    logger = FileLogger(tmp_path / "log", mode="watched")
    logger.log(said("one"))
    (tmp_path / "log").rename(tmp_path / "moved")
    logger.log(said("two"))
    asyncio.run(logger.close())
    assert (tmp_path / "log").read_text().endswith("two\n")


@pytest.mark.parametrize("mode", ["rotate", "watched"])
async def test_a_file_that_cannot_be_written_is_reported_once(
    tmp_path: Path, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    logger = FileLogger(tmp_path / "file" / "log", mode=mode)
    await logger.startup()
    logger.log(said())
    logger.log(said())
    await logger.close()
    assert len(caplog.records) == 1


async def test_a_file_logger_starts_again_after_its_end(tmp_path: Path) -> None:
    logger = FileLogger(tmp_path / "log")
    for message in ("one", "two"):
        await logger.startup()
        await logger.startup()
        logger.log(said(message))
        await logger.close()
        await logger.close()
    assert len((tmp_path / "log").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("error", "parameter", "value"),
    [
        (TypeError, "path", None),
        (TypeError, "path", ""),
        (ValueError, "path", "."),
        (TypeError, "max_bytes", "10 MB"),
        (TypeError, "backup_count", True),
        (ValueError, "max_bytes", -1),
        (ValueError, "mode", "w"),
        (ValueError, "min_level", "INFO"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    error: type[Exception], parameter: str, value: Any
) -> None:
    settings: dict[str, Any] = {"path": "log", parameter: value}
    with pytest.raises(error, match=f"^{parameter} must be"):
        FileLogger(**settings)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("one\n[id] [func] 2026-01-01T12:00:00 -- SUCCESS", r"one\n[id]"),
        ("a\rb\x1b[31m\x85\u2028c", r"a\rb\x1b[31m\x85\u2028c"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_no_message_can_forge_a_line(
    text: str, written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    StdoutLogger().log(said(text, func_name="f\n"))
    out = capsys.readouterr().out
    assert out.startswith(r"[id] [f\n] 2026-01-01T12:00:00 " + written)
    assert len(out.splitlines()) == 1


def test_times_are_written_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    StdoutLogger().log(said(time=NOON.astimezone(timezone(timedelta(hours=5)))))
    assert "2026-01-01T12:00:00 hello" in capsys.readouterr().out


def test_stdout_shows_statuses_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    StdoutLogger().lifecycle(became())
    StdoutLogger(log_lifecycle=True).lifecycle(became(TaskStatus.FAILED))
    assert capsys.readouterr().out == "[id] [func] 2026-01-01T12:00:00 -- FAILED\n"


def test_memory_keeps_what_is_loud_enough_until_cleared() -> None:
    logger = InMemoryLogger(min_level="warning")
    for level in ("debug", "info", "warning", "error"):
        logger.log(said(level=level))
    logger.lifecycle(became())
    assert [each.level for each in logger.log_events] == ["warning", "error"]
    assert logger.lifecycle_events == [became()]
    logger.clear()
    assert (logger.log_events, logger.lifecycle_events) == ([], [])


def test_the_bridge_logs_with_fields(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "fastapi_taskflow.task")
    LoggingBridge().log(said("100%", level="warning", extra={"message": "x"}, tags={"a": "b"}))
    LoggingBridge().lifecycle(became())
    first, second = caplog.records
    assert (first.levelname, first.getMessage()) == ("WARNING", "100%")
    assert vars(first).items() >= {"task_id": "id", "fields": {"message": "x"}}.items()
    assert vars(second).items() >= {"status": "running", "previous": "pending"}.items()
