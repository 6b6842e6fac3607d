"""How the task storage is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

LATE = 0.5
"""Seconds that a batch may take before the storage counts as degraded."""


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the storage, as this process sees it.

    ``up``: it takes changes; ``degraded``: it is late or has just failed, changes wait in
    memory; ``down``: it does not, and persisted tasks are refused with 503.
    """

    state: Literal["up", "degraded", "down"]
    journal_lag: float
    """Seconds that the storage has been failing, or busy with one batch."""
    buffered: int
    """Changes that wait in memory."""
    dropped: int
    """Log lines and unpromised history given up because the storage was away for long."""
    last_error: str | None
    since: datetime | None
    """When it stopped taking changes."""

    @property
    def ok(self) -> bool:
        """Whether new persisted tasks are accepted."""
        return self.state != "down"
