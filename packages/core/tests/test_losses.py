"""A task that another instance or another task has the right to is dropped, and nothing entered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from parts import Parts

from fastapi_taskflow_core.engine.live import StopReason
from fastapi_taskflow_core.engine.losses import Losses

Verdict = Callable[[Losses, str], None]


def refused(losses: Losses, task_id: str) -> None:
    losses.refused(task_id)


def duplicate(losses: Losses, task_id: str) -> None:
    losses.duplicate(task_id, "the holder")


each_verdict = pytest.mark.parametrize("verdict", [refused, duplicate])


@each_verdict
async def test_a_task_that_waits_never_starts(verdict: Verdict) -> None:
    parts = Parts()
    task = parts.waiting()
    before = task.record.copy()
    verdict(parts.losses, task.record.task_id)
    assert task.gone
    assert len(parts.live) == 0
    assert task.record == before


@each_verdict
async def test_an_attempt_that_runs_is_told_to_end(verdict: Verdict) -> None:
    parts, told = Parts(), list[str]()
    task = parts.running()
    task.interrupt = lambda: told.append("end")
    verdict(parts.losses, task.record.task_id)
    assert (task.stop_reason, task.stop.raised, told) == (StopReason.LOST, True, ["end"])


@each_verdict
async def test_what_is_not_here_any_more_is_not_missed(verdict: Verdict) -> None:
    parts = Parts()
    other = parts.waiting()
    verdict(parts.losses, "gone")
    assert list(parts.live) == [other]
    assert not other.gone
