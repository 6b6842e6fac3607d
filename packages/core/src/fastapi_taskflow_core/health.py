"""How the task storage is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the storage, as this process sees it.

    ``up``: it takes changes; ``degraded``: it did until a moment ago, changes wait in
    memory; ``down``: it does not, and persisted tasks are refused with 503.
    """

    state: Literal["up", "degraded", "down"]
    journal_lag: float
    """Seconds since the storage last took everything it was given."""
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
