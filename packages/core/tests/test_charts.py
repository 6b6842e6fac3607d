"""Charts: what is long past is counted once a minute, what is present with every look."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from fastapi_taskflow_core.backends.base import Batch, RollupQuery
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.charts import SETTLED
from fastapi_taskflow_core.history import History
from fastapi_taskflow_core.metrics import before, window
from fastapi_taskflow_core.records import TaskRecord, TaskStatus
from fastapi_taskflow_core.rollups import RollupKey, RollupValue, floor
from fastapi_taskflow_core.surroundings import SystemClock

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


class Turned(SystemClock):
    time = NOON

    def now(self) -> datetime:
        return self.time


class Asked(MemoryBackend):
    """A backend that notes from when on counters are read."""

    def __init__(self, clock: Turned) -> None:
        super().__init__(clock=clock)
        self.queries: list[RollupQuery] = []

    async def rollups(self, query: RollupQuery) -> Mapping[RollupKey, RollupValue]:
        self.queries.append(query)
        return await super().rollups(query)

    async def hold(self, *minutes_ago: float, func_name: str = "send") -> None:
        ends = [NOON - minutes * MINUTE for minutes in minutes_ago]
        tasks = [
            TaskRecord(f"{func_name}-{end}", func_name, end, TaskStatus.SUCCESS, end, end)
            for end in ends
        ]
        await self.write(Batch("here", inserts=tasks))


@pytest.fixture
def clock() -> Turned:
    return Turned()


@pytest.fixture
def backend(clock: Turned) -> Asked:
    return Asked(clock)


async def _nothing() -> None:
    pass


@pytest.fixture
def history(backend: Asked, clock: Turned) -> History:
    return History(backend, backend, _nothing, clock)


async def test_a_second_look_counts_only_the_last_steps(history: History, backend: Asked) -> None:
    await backend.hold(0, 5, 10)
    first = await history.series("15m")
    backend.queries.clear()
    assert await history.series("15m") == first
    assert [query.since for query in backend.queries] == [floor(NOON - SETTLED, MINUTE)]


async def test_a_second_look_sees_what_ended_since(history: History, backend: Asked) -> None:
    await backend.hold(5)
    await history.series("15m")
    await backend.hold(0)
    found = await history.series("15m")
    assert found.whole.succeeded == 2
    assert found.buckets[-1].succeeded == 1


async def test_what_is_added_late_is_seen_after_a_minute(
    history: History, backend: Asked, clock: Turned
) -> None:
    await backend.hold(90)
    assert (await history.series("24h")).whole.succeeded == 1
    await backend.hold(100)
    clock.time += SETTLED
    assert (await history.series("24h")).whole.succeeded == 2


async def test_steps_that_become_past_are_counted_once(
    history: History, backend: Asked, clock: Turned
) -> None:
    await backend.hold(5)
    for _ in range(10):
        await backend.hold((NOON - clock.time) / MINUTE)
        found = await history.series("15m")
        clock.time += MINUTE / 2
    assert found.whole.succeeded == sum(each.succeeded for each in found.buckets) == 11


async def test_each_function_has_a_chart_whenever_it_ran(history: History, backend: Asked) -> None:
    await backend.hold(5, func_name="old")
    await backend.hold(0, func_name="new")
    await backend.hold(0, 5, func_name="both")
    shown = window("15m", NOON)
    for _ in range(2):
        found = await history.charts("func_name", shown)
        assert {name: each.whole.succeeded for name, each in found.items()} == {
            "both": 2,
            "new": 1,
            "old": 1,
        }
        assert [*found] == sorted(found)


async def test_the_range_before_is_all_past(history: History, backend: Asked) -> None:
    await backend.hold(0, 20, 25)
    shown = before(window("15m", NOON))
    assert shown is not None
    assert (await history.total(shown)).succeeded == 2
    backend.queries.clear()
    assert (await history.total(shown)).succeeded == 2
    assert not backend.queries


async def test_a_long_chart_is_counted_in_bites(history: History, backend: Asked) -> None:
    await backend.hold(0, 20_000, 40_000)
    found = await history.series("30d")
    assert found.whole.succeeded == sum(each.succeeded for each in found.buckets) == 3
    assert len(backend.queries) > 5
