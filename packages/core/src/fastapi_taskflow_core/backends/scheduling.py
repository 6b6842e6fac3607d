"""What a scheduler asks of storage: slots that one instance settles, tasks for later by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from ..records import TaskRecord

SLOTS_KEPT = timedelta(days=7)
"""Slots this much older than the one just settled are forgotten."""


class SlotOutcome(StrEnum):
    """What became of a moment at which a schedule was due."""

    FIRED = "fired"
    """A task was made."""
    SKIPPED = "skipped"
    """The schedule was paused."""
    MISFIRED = "misfired"
    """Nothing ran at that moment, and it was too late when something did."""
    OVERLAPPED = "overlapped"
    """The run before was not over."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A moment at which a schedule was due, settled. ``task_id`` is None unless it fired."""

    schedule: str
    at: datetime
    outcome: SlotOutcome
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """A task that waits for its hour under a key of the caller's."""

    run_key: str
    task: TaskRecord


class Turn(NamedTuple):
    """Where a task for later stands among the others: by its hour, then by its id."""

    due: datetime
    task_id: str

    @classmethod
    def of(cls, task: TaskRecord) -> Turn:
        """The turn of this one."""
        return cls(task.run_at or task.created_at, task.task_id)


class ScheduleStore(Protocol):
    """What a scheduler asks of storage. Each operation is atomic."""

    async def fire(self, slot: Slot, task: TaskRecord | None = None) -> bool:
        """Settle a slot, and store its task in the same transaction.

        True for exactly one caller, ever. False, with nothing stored, if the slot was settled
        before or is in the future by the store's clock. The task comes PENDING and without
        owner, so that any instance may claim it; it has no idempotency key. Slots of the same
        schedule older than this one by `SLOTS_KEPT` are forgotten.
        """

    async def slots(self, schedule: str, limit: int = 20) -> Sequence[Slot]:
        """The slots settled last, newest first."""

    async def put_later(self, run_key: str, task: TaskRecord, now: datetime) -> str | None:
        """Store a PENDING task without owner under *run_key*; keys are compared byte by byte.

        A task that still waits under the key, without owner, is CANCELLED at *now* in the
        same transaction, and its id is returned. One that has an owner or is finished only
        loses the key.
        """

    async def drop_later(self, run_key: str, now: datetime) -> TaskRecord | None:
        """Cancel the task that waits under *run_key*, without owner; None if there is none."""

    async def later(
        self, before: datetime | None = None, limit: int = 200, after: Turn | None = None
    ) -> Sequence[Later]:
        """Tasks that wait under a key, without owner, due before then; the soonest first.

        With *after* only those whose turn is later than that one.
        """
