"""The garbage collector has less to look at, and less often, between start and stop."""

import gc
from collections.abc import Iterator

import pytest

from fastapi_taskflow_core import TaskManager
from fastapi_taskflow_core.backends.memory import MemoryBackend


def set_aside() -> bool:
    """Whether all that is loaded is; Python 3.12 has some hundred objects set aside itself."""
    assert not 1_000 < gc.get_freeze_count() < 10_000
    return gc.get_freeze_count() > 10_000


@pytest.fixture(autouse=True)
def nothing_is_set_aside() -> Iterator[None]:
    assert not set_aside()
    thresholds = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*thresholds)


async def test_what_is_loaded_is_set_aside_while_the_manager_runs():
    manager = TaskManager()
    assert not set_aside()
    await manager.startup()
    assert set_aside()
    await manager.shutdown()
    assert not set_aside()


async def test_meanwhile_the_collector_looks_for_garbage_less_often():
    before = gc.get_threshold()
    manager = TaskManager()
    await manager.startup()
    assert gc.get_threshold() == (10_000, *before[1:])
    await manager.shutdown()
    assert gc.get_threshold() == before


async def test_thresholds_that_the_application_has_set_before_or_after_the_start_stay():
    gc.set_threshold(5_000, 20, 30)
    manager = TaskManager()
    await manager.startup()
    assert gc.get_threshold() == (5_000, 20, 30)
    gc.set_threshold(6_000, 20, 30)
    await manager.shutdown()
    assert gc.get_threshold() == (6_000, 20, 30)


async def test_where_it_is_not_wanted_the_collector_is_left_alone():
    before = gc.get_threshold()
    manager = TaskManager(freeze_gc=False)
    await manager.startup()
    assert not set_aside()
    assert gc.get_threshold() == before
    await manager.shutdown()


async def test_what_the_application_has_set_aside_stays_so():
    gc.freeze()
    manager = TaskManager()
    await manager.startup()
    await manager.shutdown()
    assert set_aside()


async def test_a_collector_that_is_switched_off_is_left_alone():
    gc.disable()
    manager = TaskManager()
    await manager.startup()
    assert not set_aside()
    await manager.shutdown()


async def test_of_two_managers_the_one_that_set_it_aside_gives_it_back():
    one, other = (TaskManager() for _ in range(2))
    await one.startup()
    await other.startup()
    await other.shutdown()
    assert set_aside()
    await one.shutdown()
    assert not set_aside()


async def test_a_start_that_fails_sets_nothing_aside():
    class Closed(MemoryBackend):
        async def open(self) -> None:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await TaskManager(snapshot_backend=Closed()).startup()
    assert not set_aside()


def test_anything_but_a_flag_is_refused():
    with pytest.raises(TypeError, match="freeze_gc"):
        TaskManager(freeze_gc="yes")  # type: ignore[arg-type]
