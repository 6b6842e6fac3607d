"""What a server promises about what it has taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

_SYNC_CAN_BE_ASKED = (7, 2)


class Promise(Enum):
    """When what was written survives power loss, in words for the log."""

    ALWAYS = "every write is on disk before it is answered (appendfsync always)"
    ASKED = "what must be durable is on disk before it is answered (WAITAOF)"
    SECOND = (
        "about the last second of accepted tasks may be lost if Redis or its host dies:"
        " set 'appendfsync always', or use Redis 7.2 or newer"
    )
    NOTHING = (
        "accepted tasks may be lost if Redis or its host dies, as it keeps no append-only file:"
        " set 'appendonly yes'"
    )

    @property
    def kept(self) -> bool:
        """Whether an accepted task is never lost."""
        return self in {Promise.ALWAYS, Promise.ASKED}


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server says of itself. ``appendfsync`` is None where it may not be asked."""

    version: tuple[int, ...]
    eviction: str
    append_only: bool
    appendfsync: str | None

    @classmethod
    def read(cls, info: Mapping[str, Any], appendfsync: str | None) -> ServerInfo:
        """What stands in the answer to INFO."""
        numbers = str(info.get("redis_version", "0")).split(".")
        return cls(
            tuple(int(number) for number in numbers if number.isdecimal()),
            str(info.get("maxmemory_policy", "noeviction")),
            bool(int(info.get("aof_enabled", 0))),
            appendfsync,
        )

    @property
    def promise(self) -> Promise:
        """What this server promises."""
        if not self.append_only:
            return Promise.NOTHING
        if self.appendfsync == "always":
            return Promise.ALWAYS
        if self.version >= _SYNC_CAN_BE_ASKED:
            return Promise.ASKED
        return Promise.SECOND
