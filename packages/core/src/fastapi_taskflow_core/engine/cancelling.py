"""Cancelling: what waits here never starts, what runs here is told, others are asked."""

from __future__ import annotations

from collections.abc import Iterable

from ..backends.guarded import GuardedBackend
from ..errors import TaskNotFound, TaskStateError
from ..lifecycle import Event
from ..records import TaskRecord, TaskStatus
from ..surroundings import Clock
from .delays import Delays
from .journal import Journal
from .ledger import Ledger
from .live import Live, LiveTask, StopReason


class Cancelling:
    """Cancels tasks, for callers here and for other instances.

    Args:
        within: Seconds that the journal gets before a task is looked for in the backend.
    """

    def __init__(
        self,
        store: GuardedBackend,
        live: Live,
        journal: Journal,
        ledger: Ledger,
        delays: Delays,
        clock: Clock,
        within: float,
    ) -> None:
        self._store = store
        self._live = live
        self._journal = journal
        self._ledger = ledger
        self._delays = delays
        self._clock = clock
        self._within = within

    async def cancel(self, task_id: str) -> TaskRecord:
        """Cancel the task, wherever it is; see `TaskManager.cancel`."""
        task = self._live.get(task_id)
        if task is not None:
            return self._here(task)
        await self._journal.flush(self._within)
        found = await self._store.get(task_id)
        if found is None:
            raise TaskNotFound(task_id)
        if found.status.finished:
            raise TaskStateError(task_id, found.status, "cancel")
        holder = self._live.get(found.task_id)  # by now, or if *task_id* is an alias
        if holder is not None:
            return self._here(holder)
        return await self._store.request_cancel(task_id, self._clock.now()) or found

    def asked(self, task_ids: Iterable[str]) -> None:
        """Other instances ask for these to be cancelled; those that are not here are over."""
        for task_id in task_ids:
            task = self._live.get(task_id)
            if task is not None:
                self._here(task)

    def _here(self, task: LiveTask) -> TaskRecord:
        record = task.record
        if record.status is TaskStatus.PENDING:
            self._delays.call_off(task)
            self._ledger.enter(task, Event.CANCEL)
        elif not record.cancel_requested:
            record.cancel_requested = True
            self._journal.put(record)
            task.end(StopReason.CANCELLED)
        return record.copy()
