"""Settings: small texts by name, changed only by who knows what they are now."""

from __future__ import annotations

from fastapi_taskflow_core.backends.settings import Setting, SettingChange

from .connection import Server
from .rows import decoded, encoded

_PIECE = 500


class Settings:
    """The settings under one prefix."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def change(self, change: SettingChange) -> bool:
        """Make the change if the version is as it says."""
        version = "" if change.version is None else change.version
        lifetime: str | int = ""
        if change.lifetime is not None:
            lifetime = int(change.lifetime.total_seconds() * 1e6)
        value = [] if change.value is None else [encoded(change.value)]
        arguments = (encoded(change.name), version, lifetime, *value)
        return bool(await self._server.run("change_setting", *arguments, durable=True))

    async def read(self, prefix: str) -> dict[str, Setting]:
        """Every living setting whose name begins with *prefix*."""
        found: dict[str, Setting] = {}
        after = b""
        while True:
            after, *answer = await self._server.run("settings", encoded(prefix), after, _PIECE)
            for name, text in zip(answer[::2], answer[1::2], strict=True):
                version, value = text.split(b"\n", 1)
                found[decoded(name)] = Setting(decoded(value), int(version))
            if not after:
                return found
