"""The clocks of the one machine that a SQLite file is used on."""

from __future__ import annotations

import time

from fastapi_taskflow_core.host import boot_id
from fastapi_taskflow_sql import Connection, Tick


class HostClock:
    """Leases are counted by the time since the machine started, which nobody sets.

    Where the system has no such clock, they are counted by the wall clock.
    """

    def __init__(self) -> None:
        self._era = boot_id() if hasattr(time, "CLOCK_BOOTTIME") else None

    def now(self, connection: Connection) -> int:  # noqa: ARG002  part of the protocol
        """The wall clock, in microseconds since the Unix epoch."""
        return time.time_ns() // 1000

    def tick(self, connection: Connection) -> Tick:
        """The clock that leases are counted by."""
        if self._era is None:
            return Tick(self.now(connection), "wall")
        return Tick(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000, self._era)
