"""Settled slots, and tasks for later by their key, in memory.

Nothing here is safe for threads; the backend around it sees to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..records import TaskRecord, TaskStatus
from .scheduling import SLOTS_KEPT, Later, Slot, Turn
from .shelves import Shelves


class Timetable:
    """What schedules have done, and the tasks that wait for their hour on *shelves*."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._slots: dict[str, dict[datetime, Slot]] = {}
        self._later: dict[str, str] = {}

    def settle(self, slot: Slot) -> bool:
        """Note a slot; False if it was settled before."""
        settled = self._slots.setdefault(slot.schedule, {})
        if slot.at in settled:
            return False
        settled[slot.at] = slot
        for old in [at for at in settled if at < slot.at - SLOTS_KEPT]:
            del settled[old]
        return True

    def slots(self, schedule: str, limit: int) -> Sequence[Slot]:
        """The slots settled last, newest first."""
        settled = self._slots.get(schedule, {})
        return [settled[at] for at in sorted(settled, reverse=True)[: max(0, limit)]]

    def take_key(self, run_key: str, task_id: str) -> TaskRecord | None:
        """Give *run_key* to a task; the one that waited under it until now, if there is one."""
        waiting = self.drop_key(run_key)
        self._later[run_key] = task_id
        return waiting

    def drop_key(self, run_key: str) -> TaskRecord | None:
        """Take the key away from the task that waits under it, and return that."""
        task = self._waiting(self._later.pop(run_key, None))
        if len(self._later) > 2 * len(self._shelves.unfinished) + 1_000:
            self._later = {key: of for key, of in self._later.items() if self._waiting(of)}
        return task

    def holds(self, run_key: str, task_id: str) -> bool:
        """Whether the key is this task's."""
        return self._later.get(run_key) == task_id

    def later(self, before: datetime | None, limit: int, after: Turn | None) -> Sequence[Later]:
        """What waits under a key, the soonest first."""
        waiting = [
            Later(key, task)
            for key, task_id in self._later.items()
            if (task := self._waiting(task_id)) is not None
            and (before is None or Turn.of(task).due < before)
            and (after is None or Turn.of(task) > after)
        ]
        waiting.sort(key=lambda it: Turn.of(it.task))
        return waiting[: max(0, limit)]

    def _waiting(self, task_id: str | None) -> TaskRecord | None:
        task = None if task_id is None else self._shelves.unfinished.get(task_id)
        if task is None or task.status is not TaskStatus.PENDING or task.owner is not None:
            return None
        return task
