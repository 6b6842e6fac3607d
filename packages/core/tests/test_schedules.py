"""What the core has for a scheduler, and what it says when there is none."""

from datetime import UTC, datetime, timedelta

import pytest

from fastapi_taskflow_core import MissingExtra, TaskManager, plugins
from fastapi_taskflow_core.engine.store_clock import StoreClock
from fastapi_taskflow_testkit import VirtualClock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def nothing_installed(monkeypatch):
    monkeypatch.setattr(plugins, "_maker", lambda name: None)


@pytest.mark.usefixtures("nothing_installed")
def test_without_the_scheduler_the_decorator_names_what_to_install():
    with pytest.raises(MissingExtra, match="pip install fastapi-taskflow-scheduler"):
        TaskManager().schedule(every=60)


@pytest.mark.usefixtures("nothing_installed")
async def test_a_manager_starts_without_the_scheduler():
    manager = TaskManager()
    await manager.startup()
    await manager.shutdown()


def test_the_clock_of_the_store_is_told_by_the_last_beat_and_the_time_since():
    clock = VirtualClock(NOON)
    store = StoreClock(clock)
    store.heard(NOON + timedelta(hours=1), 0.0, 0.4)
    clock.advance(10)
    clock.set_wall(NOON - timedelta(days=1))
    assert store.now() == NOON + timedelta(hours=1, seconds=9.8)


def test_until_the_first_beat_it_is_the_clock_of_this_machine():
    assert StoreClock(VirtualClock(NOON)).now() == NOON


def test_an_answer_that_took_long_does_not_replace_a_quick_one():
    store = StoreClock(VirtualClock(NOON))
    store.heard(NOON, 0.0, 0.0)
    store.heard(NOON + timedelta(hours=1), 0.0, 2.0)
    assert store.now() == NOON
