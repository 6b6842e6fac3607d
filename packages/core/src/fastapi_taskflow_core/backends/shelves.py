"""Tasks in memory by their id, with what belongs to them: log lines, aliases, keys.

Nothing here is safe for threads; the backend around it sees to that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from ..records import LogEntry, TaskRecord, TaskStatus
from .base import Batch, Written


class Outcome:
    """What became of a batch."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.duplicates: dict[str, str] = {}
        self.finished: list[TaskRecord] = []
        """Tasks that the batch finished."""

    def written(self) -> Written:
        """The answer to who wrote the batch."""
        return Written(frozenset(self.refused), self.duplicates)


class Shelves:
    """Every unfinished task, and the *limit* tasks that finished last."""

    def __init__(self, limit: int) -> None:
        self.unfinished: dict[str, TaskRecord] = {}
        self._limit = limit
        self._finished: dict[str, TaskRecord] = {}
        # Taking the first key of a dict again and again is not O(1): it walks over the gaps.
        self._order: deque[str] = deque()
        self._holders: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._aliases_of: dict[str, list[str]] = {}
        self._logs: dict[str, dict[int, LogEntry]] = {}

    def find(self, task_id: str) -> TaskRecord | None:
        """The task, or the one this id is an alias of."""
        task_id = self._aliases.get(task_id, task_id)
        return self.unfinished.get(task_id) or self._finished.get(task_id)

    def all(self) -> Iterator[TaskRecord]:
        """Every task."""
        return chain(self._finished.values(), self.unfinished.values())

    def lines(
        self, task_id: str, after: int, limit: int, *, latest: bool = False
    ) -> Sequence[LogEntry]:
        """The first log lines behind *after*, or the last; in order, through an alias too."""
        lines = self._logs.get(self._aliases.get(task_id, task_id), {})
        wanted = sorted((seq for seq in lines if seq > after), reverse=latest)[: max(0, limit)]
        return [lines[seq] for seq in sorted(wanted)]

    def write(self, batch: Batch) -> Outcome:
        """Apply *batch*. Cannot fail half way."""
        outcome = Outcome()
        for task in batch.withdrawn:
            self._withdraw(task, batch.instance)
        for task in batch.updates:
            self._update(task, batch.instance, outcome)
        unfinished, finished, order = self.unfinished, self._finished, self._order
        for task in batch.inserts:
            task_id = task.task_id
            if task_id in unfinished or task_id in finished:
                self._update(task, batch.instance, outcome)
            elif task_id in self._aliases or task.idempotency_key is not None:
                self._insert_unless_held(task, outcome)
            elif not task.status.finished:
                unfinished[task_id] = task
            else:
                finished[task_id] = task
                order.append(task_id)
                outcome.finished.append(task)
        self._note(batch.logs, outcome)
        self._trim()
        return outcome

    def finish(self, task: TaskRecord) -> None:
        """The unfinished task has finished."""
        del self.unfinished[task.task_id]
        self._shelve(task)
        self._trim()

    def delete(self, before: datetime, limit: int) -> int:
        """Remove the tasks that finished first, and what belongs to them."""
        old = sorted(
            (task for task in self._finished.values() if _end(task) < before),
            key=lambda task: (_end(task), task.task_id),
        )[: max(0, limit)]
        for task in old:
            del self._finished[task.task_id]
            self._forget(task)
        if old:
            self._order = deque(self._finished)
        return len(old)

    def _withdraw(self, task: TaskRecord, instance: str) -> None:
        stored = self.unfinished.get(task.task_id)
        if stored is None or stored.status is not TaskStatus.PENDING:
            return
        if stored.owner != instance or stored.epoch != task.epoch:
            return
        if task.task_id in self._aliases_of:
            stored.owner = None
        else:
            del self.unfinished[task.task_id]
            self._forget(stored)

    def _update(self, task: TaskRecord, instance: str, outcome: Outcome) -> None:
        stored = self.unfinished.get(task.task_id)
        if stored is None:
            ended = self._finished.get(task.task_id)
            if ended is None or not _same_end(ended, task):
                outcome.refused.add(task.task_id)
        elif stored.owner != instance or stored.epoch != task.epoch:
            outcome.refused.add(task.task_id)
        else:
            # Somebody else may have asked for it: an owner that does not know must not undo it.
            task.cancel_requested = task.cancel_requested or stored.cancel_requested
            if not task.status.finished:
                self.unfinished[task.task_id] = task
            else:
                del self.unfinished[task.task_id]
                self._shelve(task)
                outcome.finished.append(task)

    def _insert_unless_held(self, task: TaskRecord, outcome: Outcome) -> None:
        key = task.idempotency_key
        holder = self._aliases.get(task.task_id) or (key and self._holders.get(key))
        if holder:
            outcome.duplicates[task.task_id] = holder
            if task.task_id not in self._aliases:
                self._aliases[task.task_id] = holder
                self._aliases_of.setdefault(holder, []).append(task.task_id)
            return
        if key is not None:
            self._holders[key] = task.task_id
        if not task.status.finished:
            self.unfinished[task.task_id] = task
        else:
            self._shelve(task)
            outcome.finished.append(task)

    def _shelve(self, task: TaskRecord) -> None:
        self._finished[task.task_id] = task
        self._order.append(task.task_id)
        if not task.status.holds_key:
            self._release_key(task)

    def _note(self, logs: Iterable[tuple[str, LogEntry]], outcome: Outcome) -> None:
        for task_id, entry in logs:
            if task_id not in outcome.refused and task_id not in outcome.duplicates:
                self._logs.setdefault(task_id, {}).setdefault(entry.seq, entry)
        # Lines may come before their task; those whose task never came are not kept for ever.
        if len(self._logs) > len(self.unfinished) + 2 * self._limit:
            known = self.unfinished.keys() | self._finished.keys()
            self._logs = {of: lines for of, lines in self._logs.items() if of in known}

    def _trim(self) -> None:
        for _ in range(len(self._order) - self._limit):
            self._forget(self._finished.pop(self._order.popleft()))

    def _forget(self, task: TaskRecord) -> None:
        task_id = task.task_id
        if self._logs:
            self._logs.pop(task_id, None)
        if task.idempotency_key is not None:
            self._release_key(task)
        if self._aliases_of:
            for alias in self._aliases_of.pop(task_id, ()):
                del self._aliases[alias]

    def _release_key(self, task: TaskRecord) -> None:
        key = task.idempotency_key
        if key is not None and self._holders.get(key) == task.task_id:
            del self._holders[key]


def _end(task: TaskRecord) -> datetime:
    return task.end_time or task.created_at


def _same_end(stored: TaskRecord, task: TaskRecord) -> bool:
    return (stored.status, stored.epoch, stored.end_time) == (
        task.status,
        task.epoch,
        task.end_time,
    )
