"""Small texts by name that all instances share: limits changed at run time, sessions, counters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple, Protocol


class Setting(NamedTuple):
    """A stored text. ``version`` counts from 1 and rises with every change."""

    value: str
    version: int


class SettingChange(NamedTuple):
    """A text to store under a name, or (``value`` None) to remove.

    Names are compared byte by byte and have at most 200 bytes.
    """

    name: str
    value: str | None
    version: int | None = None
    """The version it must have now for the change to be made; 0: it must not be there;
    None: whatever it is."""
    lifetime: timedelta | None = None
    """From now, by the store's clock; after it the setting is as if it had been removed."""


class SettingStore(Protocol):
    """Settings shared by all instances. Each operation is atomic."""

    async def change_setting(self, change: SettingChange) -> bool:
        """Make the change if the version is as it says; whether it was made."""

    async def settings(self, prefix: str = "") -> Mapping[str, Setting]:
        """Every setting whose name begins with *prefix* and whose lifetime is not over."""
