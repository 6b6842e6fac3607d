"""What the backend does not have yet: changes of one task are one entry."""

from __future__ import annotations

from collections.abc import Iterable

from ..backends.base import Batch
from ..records import LogEntry, TaskRecord

_LETTERS = 3_200
"""So many letters and bytes weigh as much as one change: 10,000 changes hold 64 MB at most,
with what Python needs to keep them.
"""


class Buffer:
    """Changes on their way to the backend, for one instance.

    Urgent ones are finished tasks and those that must be stored; lazy ones are tasks that
    wait or run without a promise: if they finish in time, their way there is never written.
    """

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._urgent: dict[str, TaskRecord] = {}
        self._lazy: dict[str, TaskRecord] = {}
        self._logs: list[tuple[str, LogEntry]] = []
        self._withdrawn: dict[str, TaskRecord] = {}
        self._stored: set[str] = set()
        """Unfinished tasks the backend is known to have."""
        self._attempted: set[str] = set()
        """Tasks the backend may have: their insert was sent, and not answered."""
        self._under_way: set[str] = set()
        """Tasks that were unfinished when they were sent: how they end must follow."""

    def put(self, task: TaskRecord) -> bool:
        """The task has changed; says whether it is urgent."""
        task_id = task.task_id
        if task.status.finished or task.persist or task.idempotency_key is not None:
            self._lazy.pop(task_id, None)
            self._urgent[task_id] = task
            return True
        if task_id in self._urgent:
            self._urgent[task_id] = task
            return True
        self._lazy[task_id] = task
        return False

    def log(self, task_id: str, entry: LogEntry) -> None:
        """The task has said something."""
        self._logs.append((task_id, entry))

    def withdraw(self, task: TaskRecord) -> bool:
        """The task is not to be after all; says whether the backend must be told."""
        self._urgent.pop(task.task_id, None)
        self._lazy.pop(task.task_id, None)
        told = task.task_id in self._stored or task.task_id in self._attempted
        if told:
            self._withdrawn[task.task_id] = task.copy()
        return told

    def adopt(self, tasks: Iterable[TaskRecord]) -> None:
        """These came from the backend: their changes are updates."""
        self._stored.update(task.task_id for task in tasks)

    def forget(self, task_id: str) -> None:
        """Write nothing more about this task."""
        self._urgent.pop(task_id, None)
        self._lazy.pop(task_id, None)
        self._stored.discard(task_id)
        self._under_way.discard(task_id)

    def take(self, *, lazy: bool, durable: bool) -> Batch:
        """Everything urgent, and what is lazy too if wanted; it waits here no longer."""
        changed = list(self._urgent.values())
        self._urgent = {}
        if lazy:
            changed += self._lazy.values()
            self._lazy = {}
        inserts: list[TaskRecord] = []
        updates: list[TaskRecord] = []
        stored = self._stored
        for task in changed:
            into = updates if task.task_id in stored else inserts
            if task.status.finished:
                into.append(task)
            else:
                into.append(task.copy())
                self._under_way.add(task.task_id)
                durable = durable or task.persist  # a promise, whoever writes it
        logs, self._logs = self._logs, []
        withdrawn, self._withdrawn = tuple(self._withdrawn.values()), {}
        self._attempted.update([task.task_id for task in inserts])
        return Batch(self._instance, inserts, updates, logs, withdrawn, durable)

    def written(self, batch: Batch) -> None:
        """The backend has the batch."""
        self._attempted.difference_update([task.task_id for task in batch.inserts])
        self._arrived(batch)
        for task in batch.inserts:
            if not task.status.finished:
                self._stored.add(task.task_id)
        for task in batch.updates:
            if task.status.finished or task.owner != self._instance:
                self._stored.discard(task.task_id)
        gone = [task.task_id for task in batch.withdrawn]
        self._stored.difference_update(gone)
        self._attempted.difference_update(gone)

    def give_back(self, batch: Batch) -> None:
        """The backend may not have the batch: all of it waits again, unless it changed since."""
        self._arrived(batch)
        newer = self._urgent.keys() | self._lazy.keys() | self._withdrawn.keys()
        older = {
            task.task_id: task
            for task in (*batch.inserts, *batch.updates)
            if task.task_id not in newer
        }
        self._urgent = {**older, **self._urgent}
        self._logs = [*batch.logs, *self._logs]
        self._withdrawn = {**{task.task_id: task for task in batch.withdrawn}, **self._withdrawn}

    def shed(self, capacity: int) -> int:
        """Drop log lines and unpromised history, oldest first, down to the weight of *capacity*
        changes: a change weighs one, and more if it holds much text.

        Returns how many went. What was promised stays, however much it is.
        """
        changes = (*self._urgent.values(), *self._lazy.values(), *self._withdrawn.values())
        excess = sum(map(_weight, changes)) + sum(_line_weight(line) for _, line in self._logs)
        excess -= capacity
        lines = 0
        while excess > 0 and lines < len(self._logs):
            excess -= _line_weight(self._logs[lines][1])
            lines += 1
        del self._logs[:lines]
        droppable: list[str] = []
        for task_id, task in self._urgent.items():
            if excess <= 0:
                break
            kept = task.persist or task_id in self._stored or task_id in self._under_way
            if task.status.finished and not kept:
                droppable.append(task_id)
                excess -= _weight(task)
        for task_id in droppable:
            del self._urgent[task_id]
            self._attempted.discard(task_id)
        return lines + len(droppable)

    def _arrived(self, batch: Batch) -> None:
        if self._under_way:
            for task in (*batch.inserts, *batch.updates):
                self._under_way.discard(task.task_id)

    @property
    def urgent(self) -> bool:
        """Whether anything waits that should not wait for long."""
        return bool(self._urgent or self._logs or self._withdrawn)

    def __len__(self) -> int:
        return len(self._urgent) + len(self._lazy) + len(self._logs) + len(self._withdrawn)


def _weight(task: TaskRecord) -> int:
    texts = (task.error, task.stacktrace, task.payload, task.result)
    return 1 + sum(len(text) for text in texts if text) // _LETTERS


def _line_weight(line: LogEntry) -> int:
    return 1 + len(line.message) // _LETTERS
