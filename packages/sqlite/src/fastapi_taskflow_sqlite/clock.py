"""The clocks of the one machine that a SQLite file is used on."""

from __future__ import annotations

import time
from pathlib import Path

from fastapi_taskflow_sql import Connection, Tick

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class HostClock:
    """Leases are counted by the time since the machine started, which nobody sets.

    Where the system has no such clock, they are counted by the wall clock.
    """

    def __init__(self) -> None:
        self._era = _boot_id()

    def now(self, connection: Connection) -> int:  # noqa: ARG002  part of the protocol
        """The wall clock, in microseconds since the Unix epoch."""
        return time.time_ns() // 1000

    def tick(self, connection: Connection) -> Tick:
        """The clock that leases are counted by."""
        if self._era is None:
            return Tick(self.now(connection), "wall")
        return Tick(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000, self._era)


def _boot_id() -> str | None:
    """Which start of the machine this is."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return None
