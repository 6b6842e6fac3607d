"""The one periodic loop."""

from __future__ import annotations

import asyncio
import logging
import random

import pytest

from fastapi_taskflow_core.service import Periodic


class Work:
    """Counts its calls; runs one at a time or it is a mistake."""

    def __init__(self) -> None:
        self.calls = self.running = self.most = 0
        self.error: Exception | None = None
        self.called = asyncio.Event()

    async def __call__(self) -> None:
        self.calls += 1
        self.running += 1
        self.most = max(self.most, self.running)
        self.called.set()
        try:
            await asyncio.sleep(0)
            if self.error is not None:
                raise self.error
        finally:
            self.running -= 1


@pytest.fixture
def work() -> Work:
    return Work()


async def test_the_first_call_comes_at_once(work: Work) -> None:
    periodic = Periodic("work", lambda: 3600, work)
    await periodic.start()
    await work.called.wait()
    await periodic.stop()
    assert work.calls == 1


async def test_stopping_before_the_start_and_twice_is_nothing(work: Work) -> None:
    periodic = Periodic("work", lambda: 3600, work)
    await periodic.stop()
    await periodic.start()
    await periodic.stop()
    await periodic.stop()
    assert work.running == 0


async def test_starting_twice_is_once(work: Work) -> None:
    periodic = Periodic("work", lambda: 0.001, work)
    await periodic.start()
    await periodic.start()
    while work.calls < 5:
        work.called.clear()
        await work.called.wait()
    await periodic.stop()
    assert work.most == 1


async def test_a_call_that_fails_is_followed_by_the_next_and_said_once(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    work.error = ValueError("no")
    periodic = Periodic("counting sheep", lambda: 0, work)
    with caplog.at_level(logging.WARNING):
        await periodic.start()
        while work.calls < 5:
            work.called.clear()
            await work.called.wait()
        await periodic.stop()
    (record,) = caplog.records
    assert record.getMessage() == "counting sheep failed, and will be tried again: no"


async def test_hurry_brings_the_next_call_forward(work: Work) -> None:
    periodic = Periodic("work", lambda: 3600, work)
    await periodic.start()
    for _ in range(3):
        await work.called.wait()
        work.called.clear()
        periodic.hurry()
    await work.called.wait()
    await periodic.stop()
    assert work.calls == 4


@pytest.mark.parametrize("seed", range(20))
async def test_hammered_from_all_sides_it_never_runs_twice_at_once_and_ends_stopped(
    work: Work, seed: int
) -> None:
    chance = random.Random(seed)
    periodic = Periodic("work", lambda: 0, work)

    async def hammer() -> None:
        for _ in range(20):
            await chance.choice([periodic.start, periodic.stop])()
            if chance.random() < 0.3:
                periodic.hurry()
            await asyncio.sleep(0)

    await asyncio.gather(*(hammer() for _ in range(4)))
    await periodic.stop()
    calls = work.calls
    for _ in range(5):
        await asyncio.sleep(0)
    assert (work.calls, work.running, work.most) == (calls, 0, 1)
