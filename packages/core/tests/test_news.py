"""Hearing of other instances is a help, and never a hindrance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fastapi_taskflow_core.backends import guarded
from fastapi_taskflow_core.backends.base import Batch
from fastapi_taskflow_core.backends.guarded import GuardedBackend
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.backends.settings import SettingChange
from fastapi_taskflow_core.engine import news
from fastapi_taskflow_core.engine.news import News
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_testkit.builders import a_task


class Telling(MemoryBackend):
    """Counts its knocks, each of which may take for ever or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.knocks = 0
        self.trouble: Callable[[], asyncio.Future[None]] | Exception | None = None

    async def knock(self) -> None:
        self.knocks += 1
        if isinstance(self.trouble, Exception):
            raise self.trouble
        if self.trouble is not None:
            await self.trouble()

    async def listen(self, heard: Callable[[], object]) -> None:
        heard()
        await asyncio.get_running_loop().create_future()


@pytest.fixture
async def telling() -> Telling:
    return Telling()


@pytest.fixture
async def store(telling: Telling) -> GuardedBackend:
    store = GuardedBackend(telling)
    await store.open()
    return store


async def test_work_for_anyone_is_told_and_work_of_ones_own_is_not(
    store: GuardedBackend, telling: Telling
) -> None:
    await store.write(Batch("me", inserts=[a_task()]))
    assert telling.knocks == 0
    await store.write(Batch("me", inserts=[a_task(owner=None)]))
    assert telling.knocks == 1


async def test_wishes_and_settings_are_told(store: GuardedBackend, telling: Telling) -> None:
    await store.request_cancel("nobody", datetime.now(UTC))
    await store.put_later("key", a_task(owner=None), datetime.now(UTC))
    await store.change_setting(SettingChange("x", "y"))
    assert telling.knocks == 3
    assert not await store.change_setting(SettingChange("x", "z", version=7))
    assert telling.knocks == 3


@pytest.mark.parametrize("kind", ["fails", "hangs"])
async def test_what_was_done_is_done_though_telling_does_not_work(
    store: GuardedBackend, telling: Telling, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded, "_KNOCK", 0.01)
    future = asyncio.get_running_loop().create_future
    telling.trouble = BackendUnavailable("away") if kind == "fails" else future
    task = a_task(owner=None)
    await store.write(Batch("me", inserts=[task]))
    assert await store.get(task.task_id) is not None


async def test_it_is_listened_again_after_the_backend_was_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(news, "PAUSES", (0.0, 3600.0))
    came, calls = asyncio.Event(), 0

    async def listen(heard: Callable[[], object]) -> None:
        nonlocal calls
        calls += 1
        heard()  # it worked: the next attempt may come soon, however many there were
        raise BackendUnavailable("gone")

    def count() -> None:
        if calls >= 5:
            came.set()

    service = News(listen, count)
    await service.start()
    await service.start()
    await asyncio.wait_for(came.wait(), 30)
    await service.stop()
    await service.stop()


async def test_one_that_never_works_is_left_alone_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(news, "PAUSES", (0.0, 3600.0))
    calls, twice = 0, asyncio.Event()

    async def listen(heard: Callable[[], object]) -> None:  # noqa: RUF029
        nonlocal calls
        calls += 1
        if calls == 2:
            twice.set()
        raise BackendUnavailable("a pooler")

    service = News(listen, lambda: None)
    await service.start()
    await asyncio.wait_for(twice.wait(), 30)
    for _ in range(20):
        await asyncio.sleep(0)
    await service.stop()
    assert calls == 2
