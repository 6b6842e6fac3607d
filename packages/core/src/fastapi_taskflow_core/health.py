"""How the task storage is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .engine.journal import Journal
    from .surroundings import Clock

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


def health_of(journal: Journal, clock: Clock, *, available: bool, patience: float) -> Health:
    """How the storage that the journal writes to is doing now.

    *available*: whether its operations have a chance. *patience*: seconds of lag after which
    it counts as taking no changes any more.
    """
    lag = journal.lag
    down = not available or lag >= patience
    late = lag >= LATE or journal.last_error is not None
    return Health(
        state="down" if down else "degraded" if late else "up",
        journal_lag=lag,
        buffered=journal.buffered,
        dropped=journal.dropped,
        last_error=journal.last_error,
        since=clock.now() - timedelta(seconds=lag) if late else None,
    )
