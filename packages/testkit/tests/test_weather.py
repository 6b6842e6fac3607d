"""Operations that are late, lost, done twice."""

from pathlib import Path

import pytest

from fastapi_taskflow_core.backends.base import Batch, Query
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.records import TaskStatus
from fastapi_taskflow_testkit.builders import ME, a_task, started
from fastapi_taskflow_testkit.faults import (
    Delay,
    ExposedBackend,
    Fail,
    Ledger,
    Moment,
    Operation,
    Strike,
    Twice,
    Weather,
)


@pytest.fixture
def exposed() -> ExposedBackend:
    return ExposedBackend(MemoryBackend(), Weather())


async def number_of_tasks(backend: ExposedBackend) -> int:
    return len((await backend.query(Query())).tasks)


@pytest.mark.parametrize(("moment", "stored"), [(Moment.BEFORE, 0), (Moment.AFTER, 1)])
async def test_a_failed_operation_took_effect_or_did_not(
    exposed: ExposedBackend, moment: Moment, stored: int
) -> None:
    exposed.weather.bring(Fail(moment), "write")
    with pytest.raises(BackendUnavailable, match=f"{moment.name.lower()} it took effect"):
        await exposed.write(Batch(ME, inserts=[a_task()]))
    assert await number_of_tasks(exposed) == stored


async def test_a_fault_comes_after_so_many_and_so_often(exposed: ExposedBackend) -> None:
    exposed.weather.bring(Fail(Moment.BEFORE), "get", skip=1, times=2)
    answers = []
    for _ in range(4):
        try:
            await exposed.get("nothing")
            answers.append("fine")
        except BackendUnavailable:
            answers.append("failed")
    assert answers == ["fine", "failed", "failed", "fine"]


async def test_other_connections_are_in_the_same_weather(exposed: ExposedBackend) -> None:
    exposed.weather.bring(Fail(Moment.BEFORE), times=None)
    with pytest.raises(BackendUnavailable):
        await exposed.another().get("nothing")
    exposed.weather.clear()
    assert await exposed.get("nothing") is None


async def test_an_operation_done_twice_is_written_the_same_twice(exposed: ExposedBackend) -> None:
    exposed.weather.bring(Twice(), "write")
    assert not (await exposed.write(Batch(ME, inserts=[a_task()]))).refused
    assert await number_of_tasks(exposed) == 1


@pytest.mark.parametrize("moment", Moment)
async def test_a_late_operation_gives_its_own_answer(
    exposed: ExposedBackend, moment: Moment
) -> None:
    exposed.weather.bring(Delay(0.001, moment), "settings")
    assert await exposed.settings() == {}


@pytest.mark.parametrize(("moment", "seen"), [(Moment.BEFORE, 0), (Moment.AFTER, 1)])
async def test_a_strike_comes_before_or_after_the_effect(moment: Moment, seen: int) -> None:
    inner = MemoryBackend()
    exposed = ExposedBackend(inner, Weather())
    found: list[int] = []
    exposed.weather.bring(Strike(moment, lambda: found.append(_count(inner))), "write")
    await exposed.write(Batch(ME, inserts=[a_task()]))
    assert found == [seen]


def _count(backend: MemoryBackend) -> int:
    """How many tasks there are, asked from where nothing can be awaited."""
    reading = backend.unfinished()
    try:
        reading.send(None)
    except StopIteration as answer:
        return sum(answer.value.values())
    raise AssertionError("a backend in memory does not wait")


def test_what_a_write_stores_can_be_told() -> None:
    batch = Batch(ME, inserts=[a_task()], updates=[started(a_task())])
    assert Operation("write", batch).writes(TaskStatus.RUNNING)
    assert not Operation("write", batch).writes(TaskStatus.SUCCESS)
    assert not Operation("get", "an id").writes(TaskStatus.PENDING)


def test_a_ledger_counts_what_several_wrote(tmp_path: Path) -> None:
    one, other = Ledger(tmp_path / "ledger"), Ledger(tmp_path / "ledger")
    for ledger, what, number in ((one, "ran", 1), (other, "ran", 1), (one, "ended", 2)):
        ledger.note(what, number)
    assert one.counts() == {("ran", 1): 2, ("ended", 2): 1}
    assert other.numbers("ran") == {1}
    one.close()
    other.close()
