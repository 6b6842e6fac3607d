"""Settings: small texts that all instances share."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from fastapi_taskflow_core.backends.base import Backend
from fastapi_taskflow_core.backends.settings import Setting, SettingChange


async def test_a_setting_is_read_by_others(backend: Backend, second: Backend) -> None:
    assert await backend.change_setting(SettingChange("queue:mail", '{"size": 3}'))
    assert await second.settings() == {"queue:mail": Setting('{"size": 3}', 1)}


async def test_the_version_rises_with_every_change(backend: Backend) -> None:
    for value in ("a", "b", "b"):
        await backend.change_setting(SettingChange("x", value))
    assert await backend.settings("x") == {"x": Setting("b", 3)}


async def test_a_change_of_another_version_is_not_made(backend: Backend) -> None:
    await backend.change_setting(SettingChange("x", "a"))
    assert not await backend.change_setting(SettingChange("x", "b", version=0))
    assert not await backend.change_setting(SettingChange("x", "b", version=2))
    assert not await backend.change_setting(SettingChange("x", None, version=2))
    assert not await backend.change_setting(SettingChange("y", "b", version=1))
    assert await backend.settings() == {"x": Setting("a", 1)}


async def test_a_change_of_the_right_version_is_made(backend: Backend) -> None:
    assert await backend.change_setting(SettingChange("x", "a", version=0))
    assert await backend.change_setting(SettingChange("x", "b", version=1))
    assert await backend.settings() == {"x": Setting("b", 2)}
    assert await backend.change_setting(SettingChange("x", None, version=2))
    assert await backend.settings() == {}


async def test_of_many_who_change_one_version_one_does(backend: Backend, second: Backend) -> None:
    await backend.change_setting(SettingChange("x", "0"))
    made = await asyncio.gather(
        *(
            (backend, second)[i % 2].change_setting(SettingChange("x", str(i), version=1))
            for i in range(32)
        )
    )
    assert sum(made) == 1
    assert await backend.settings() == {"x": Setting(str(made.index(True)), 2)}


async def test_removing_what_is_not_there_changes_nothing(backend: Backend) -> None:
    assert await backend.change_setting(SettingChange("x", None))
    assert await backend.settings() == {}


async def test_a_prefix_chooses(backend: Backend) -> None:
    names = ["a", "a:1", "a:\u00e9", "a:%", "A:1", "b:1"]
    for name in names:
        await backend.change_setting(SettingChange(name, "v"))
    assert set(await backend.settings("a:")) == {"a:1", "a:\u00e9", "a:%"}
    assert set(await backend.settings()) == set(names)


async def test_a_setting_lives_as_long_as_it_was_told(backend: Backend) -> None:
    now, never = timedelta(0), timedelta(days=400)
    await backend.change_setting(SettingChange("over", "v", lifetime=now))
    await backend.change_setting(SettingChange("lasting", "v", lifetime=never))
    assert set(await backend.settings()) == {"lasting"}
    assert await backend.change_setting(SettingChange("over", "w", version=0))
    assert set(await backend.settings()) == {"lasting", "over"}


async def test_a_value_comes_back_as_it_was(backend: Backend) -> None:
    value = "\u00fc\U0001f600'\"%\\\n" + "x" * 60_000
    await backend.change_setting(SettingChange("x", value))
    assert (await backend.settings())["x"].value == value
