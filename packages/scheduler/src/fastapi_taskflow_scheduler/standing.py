"""What all instances know of schedules beside their slots: paused, since when, just started."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from fastapi_taskflow_core.backends.settings import Setting, SettingChange, SettingStore

from .schedule import Schedule

_PAUSED, _SINCE, _STARTED = "schedule.paused.", "schedule.since.", "schedule.started."
_ONE_START = timedelta(seconds=10)
"""Instances that start within this time start together."""


class Standing:
    """Settings of schedules in the backend."""

    def __init__(self, store: SettingStore) -> None:
        self._store = store
        self._known: Mapping[str, Setting] | None = None

    def reset(self) -> None:
        """The backend may have changed since it was last asked."""
        self._known = None

    async def paused(self) -> Paused:
        """Which schedules are paused now."""
        return Paused(frozenset(await self._store.settings(_PAUSED)))

    async def pause(self, name: str) -> None:
        """Let all instances skip the schedule's slots."""
        await self._store.change_setting(SettingChange(_PAUSED + _key(name), name))

    async def resume(self, name: str) -> None:
        """Let them fire again."""
        await self._store.change_setting(SettingChange(_PAUSED + _key(name), None))

    async def since(self, schedule: Schedule, now: datetime) -> datetime:
        """Since when the schedule has the slots that it has now; from now on, if they are new."""
        setting = _SINCE + _key(schedule.name)
        if self._known is None:  # one question for all of them
            self._known = await self._store.settings(_SINCE)
        found = self._known.get(setting)
        while found is None or not _means(found, schedule):
            stored = {"name": schedule.name, "slots": schedule.slots, "since": now.isoformat()}
            version = 0 if found is None else found.version
            change = SettingChange(setting, json.dumps(stored), version)
            if await self._store.change_setting(change):
                return now
            found = (await self._store.settings(setting)).get(setting)
        return datetime.fromisoformat(json.loads(found.value)["since"])

    async def starts_first(self, name: str, instance: str) -> bool:
        """Whether this is the first of the instances that start together."""
        setting = _STARTED + _key(name)
        return await self._store.change_setting(
            SettingChange(setting, instance, version=0, lifetime=_ONE_START)
        )

    async def forget_start(self, names: Collection[str]) -> None:
        """The next start is another one, however soon it comes."""
        for name in names:
            await self._store.change_setting(SettingChange(_STARTED + _key(name), None))


class Paused:
    """The schedules that are paused."""

    def __init__(self, settings: Collection[str]) -> None:
        self._settings = settings

    def __contains__(self, name: str) -> bool:
        return bool(self._settings) and _PAUSED + _key(name) in self._settings


def _key(name: str) -> str:
    # Names of settings are short, those of tasks may be long.
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def _means(found: Setting, schedule: Schedule) -> bool:
    slots: object = json.loads(found.value)["slots"]
    return slots == schedule.slots
