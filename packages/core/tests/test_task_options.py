"""A wrong option is named where the decorator or the manager stands."""

from __future__ import annotations

import math
from typing import Any

import pytest

from fastapi_taskflow_core import MissingExtra, TaskManager

WRONG: list[tuple[str, Any, type[Exception]]] = [
    ("retries", -1, ValueError),
    ("retries", 1.5, TypeError),
    ("retries", True, TypeError),
    ("retries", "3", TypeError),
    ("delay", -0.1, ValueError),
    ("delay", math.inf, ValueError),
    ("delay", math.nan, ValueError),
    ("delay", "1", TypeError),
    ("delay", False, TypeError),
    ("backoff", -1, ValueError),
    ("backoff", math.inf, ValueError),
    ("backoff", None, TypeError),
    ("backoff", 10**400, ValueError),
    ("delay", 10**400, ValueError),
    ("persist", 1, TypeError),
    ("persist", None, TypeError),
    ("name", "", ValueError),
    ("name", "  ", ValueError),
    ("name", "x" * 201, ValueError),
    ("name", 7, TypeError),
    ("requeue_on_interrupt", "yes", TypeError),
    ("eager", 0, TypeError),
    ("priority", 1.0, TypeError),
    ("priority", True, TypeError),
    ("queue", "", ValueError),
    ("queue", 7, TypeError),
    ("executor", "gpu", ValueError),
    ("executor", "async", ValueError),
    ("executor", ["thread"], ValueError),
    ("timeout", 0, ValueError),
    ("timeout", -1, ValueError),
    ("timeout", "1", TypeError),
    ("max_delay", -1, ValueError),
    ("max_delay", math.nan, ValueError),
    ("jitter", -0.1, ValueError),
    ("jitter", 1.1, ValueError),
    ("jitter", "0.5", TypeError),
    ("retry_on", "ValueError", TypeError),
    ("retry_on", ValueError("one"), TypeError),
    ("retry_on", (ValueError, int), TypeError),
    ("no_retry_on", 404, TypeError),
]


@pytest.mark.parametrize(("option", "value", "error"), WRONG)
def test_a_wrong_option_is_named_at_the_decorator(
    manager: TaskManager, option: str, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=option):

        @manager.task(**{option: value})
        def work() -> None:
            """Never registered."""


def test_an_unknown_option_is_named(manager: TaskManager) -> None:
    with pytest.raises(TypeError, match="retry_count"):
        manager.task(retry_count=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_an_async_function_runs_on_the_loop_only(manager: TaskManager, executor: Any) -> None:
    async def work() -> None:
        """Never registered."""

    with pytest.raises(ValueError, match="executor"):
        manager.task(executor=executor)(work)


@pytest.mark.parametrize("value", [ValueError, (ValueError, OSError), [KeyError], {OSError}])
def test_exception_types_may_come_alone_or_together(manager: TaskManager, value: Any) -> None:
    manager.task(retry_on=value, no_retry_on=value)(test_an_unknown_option_is_named)


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("snapshot_db", 7, TypeError),
        ("snapshot_backend", 7, TypeError),
        ("snapshot_backend", "not a url", ValueError),
        ("snapshot_backend", "carrier-pigeon://coop", ValueError),
        ("snapshot_interval", 0, ValueError),
        ("requeue_pending", 1, TypeError),
        ("drain_timeout", -1, ValueError),
        ("commit_timeout", 0, ValueError),
        ("lease", "15", TypeError),
        ("max_crashes", 0, ValueError),
        ("max_sync_threads", 0, ValueError),
        ("max_sync_threads", 2.5, TypeError),
        ("history_limit", 0, ValueError),
        ("loggers", [print], TypeError),
        ("log_file_mode", "weekly", ValueError),
    ],
)
def test_a_wrong_option_of_the_manager_is_named(
    option: str, value: Any, error: type[Exception]
) -> None:
    options = {"log_file": "tasks.log"} if option.startswith("log_file") else {}
    word = {"log_file_mode": "mode", "snapshot_backend": "backend"}.get(option, option)
    with pytest.raises(error, match=word):
        TaskManager(**{**options, option: value})


def test_there_is_one_place_for_tasks() -> None:
    with pytest.raises(ValueError, match="not both"):
        TaskManager(snapshot_db="tasks.db", snapshot_backend="redis://localhost")


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi_taskflow_core.plugins.entry_points", lambda **_: ())
    with pytest.raises(MissingExtra, match=r'pip install "fastapi-taskflow\[redis\]"'):
        TaskManager(snapshot_backend="redis://localhost")
