"""Writing a batch: in haste first, with a look at what is stored where haste went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import chain

from fastapi_taskflow_core.backends.base import Batch, Written
from fastapi_taskflow_core.backends.forms import key_hash, micros
from fastapi_taskflow_core.records import UNFINISHED, TaskRecord

from . import statements
from .bulk import insert
from .connection import Connection, Contended, Row, Value
from .schema import ALIASES
from .statements import Statements
from .tasks import Tasks

_MANY = 500


@dataclass(slots=True)
class _Plan:
    """What is to become of the records of a batch."""

    updates: Sequence[TaskRecord] = ()
    inserts: Sequence[TaskRecord] = ()
    refused: set[str] = field(default_factory=set)
    duplicates: dict[str, str] = field(default_factory=dict)


class Batches:
    """Writes batches into one database."""

    def __init__(self, sql: Statements, tasks: Tasks) -> None:
        self._sql = sql
        self._tasks = tasks

    def write(self, connection: Connection, batch: Batch, *, look: bool) -> Written:
        """Apply *batch*. With *look*, find out first what is stored of it.

        Raises:
            Contended: what is stored is not what was expected; nothing may be committed.
        """
        self._withdraw(connection, batch)
        plan = self._looked(connection, batch) if look else self._hoped(connection, batch)
        if self._tasks.change(connection, plan.updates, batch.instance) != len(plan.updates):
            raise Contended
        if look:
            self._give_keys(connection, plan)
        if self._tasks.add(connection, plan.inserts) != len(plan.inserts):
            raise Contended
        insert(self._sql, connection, ALIASES, list(plan.duplicates.items()))
        left_out = plan.refused | plan.duplicates.keys()
        self._tasks.add_logs(connection, [it for it in batch.logs if it[0] not in left_out])
        written = chain(plan.updates, plan.inserts)
        ended = [task for task in written if task.status.finished]
        self._tasks.counters.add(connection, ended)
        return Written(frozenset(plan.refused), plan.duplicates)

    def _hoped(self, connection: Connection, batch: Batch) -> _Plan:
        """The plan that is right for nearly all batches, as the counts of rows will show."""
        keyed = [task for task in batch.inserts if task.idempotency_key is not None]
        plan = _Plan(batch.updates, batch.inserts)
        if keyed:
            self._give_keys(connection, plan)
            if plan.duplicates:
                raise Contended
        return plan

    def _looked(self, connection: Connection, batch: Batch) -> _Plan:
        """The plan by what is stored of the tasks; keys are still to be looked at."""
        ids = [task.task_id for task in chain(batch.updates, batch.inserts)]
        stored = {row[0]: row[1:] for row in self._fetch(connection, statements.STANDING, ids)}
        inserts = [task for task in batch.inserts if task.task_id not in stored]
        known = [task for task in batch.inserts if task.task_id in stored]
        plan = _Plan(inserts=inserts)
        updates = []
        for task in chain(batch.updates, known):
            match _verdict(task, batch.instance, stored.get(task.task_id)):
                case _Verdict.APPLY:
                    updates.append(task)
                case _Verdict.REFUSE:
                    plan.refused.add(task.task_id)
                case _Verdict.REPEATED:
                    pass
        plan.updates = updates
        return plan

    def _give_keys(self, connection: Connection, plan: _Plan) -> None:
        """Move inserts that may not have their idempotency key to the duplicates."""
        keys = {
            task.task_id: key_hash(task.idempotency_key)
            for task in plan.inserts
            if task.idempotency_key is not None
        }
        hashes = list(keys.values())
        aliases = self._fetch(connection, statements.KNOWN_ALIASES, list(keys))
        holders = {row[0]: row[1] for row in self._fetch(connection, statements.HOLDERS, hashes)}
        taken = {row[0]: row[1] for row in aliases}
        inserts = []
        for task in plan.inserts:
            key = keys.get(task.task_id)
            holder = taken.get(task.task_id) or (key and holders.get(key))
            if holder:
                plan.duplicates[task.task_id] = holder
                continue
            inserts.append(task)
            if key is not None and task.status.holds_key:
                holders[key] = task.task_id
        plan.inserts = inserts

    def _withdraw(self, connection: Connection, batch: Batch) -> None:
        epochs = {task.task_id: task.epoch for task in batch.withdrawn}
        ours = [
            task_id
            for task_id, status, owner, epoch, _ in self._fetch(
                connection, statements.STANDING, list(epochs)
            )
            if (status, owner, epoch) == ("pending", batch.instance, epochs[task_id])
        ]
        promised = {row[0] for row in self._fetch(connection, statements.PROMISED, ours)}
        for task_id in promised:
            connection.execute(self._sql.render(statements.RELEASE), (task_id,))
        self._tasks.forget(connection, [task_id for task_id in ours if task_id not in promised])

    def _fetch(
        self, connection: Connection, template: str, values: Sequence[Value], *more: Value
    ) -> Iterator[Row]:
        for start in range(0, len(values), _MANY):
            some = values[start : start + _MANY]
            yield from connection.fetch(self._sql.render(template, len(some)), [*some, *more])


class _Verdict(Enum):
    APPLY = auto()
    REPEATED = auto()
    """It was applied before."""
    REFUSE = auto()


def _verdict(task: TaskRecord, instance: str, stored: Row | None) -> _Verdict:
    """What an update comes to, given status, owner, epoch and end of the stored task."""
    if stored is None:
        return _Verdict.REFUSE
    status, owner, epoch, end_time = stored
    if status in UNFINISHED:
        ours = owner == instance and epoch == task.epoch
        return _Verdict.APPLY if ours else _Verdict.REFUSE
    end = None if task.end_time is None else micros(task.end_time)
    same = (status, epoch, end_time) == (task.status.value, task.epoch, end)
    return _Verdict.REPEATED if same else _Verdict.REFUSE
