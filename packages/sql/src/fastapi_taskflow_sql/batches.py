"""Writing a batch: in haste first, with a look at what is stored where haste went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from fastapi_taskflow_core.backends.base import Batch, Written
from fastapi_taskflow_core.records import TaskRecord

from . import rollups, statements
from .bulk import insert
from .connection import Connection, Contended, Row, Value
from .rows import key_hash
from .schema import ALIASES
from .statements import Statements
from .tasks import Tasks

_MANY = 500


@dataclass(slots=True)
class _Inserts:
    """What is to become of the inserts of a batch."""

    new: list[TaskRecord] = field(default_factory=list)
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
        updates = self._ours(connection, batch) if look else batch.updates
        if self._tasks.change(connection, updates, batch.instance) != len(updates):
            raise Contended
        inserts = self._sort_out(connection, batch.inserts, look=look)
        if self._tasks.add(connection, inserts.new) != len(inserts.new):
            raise Contended
        self._add_aliases(connection, inserts.duplicates)
        refused = frozenset[str]()
        if len(updates) < len(batch.updates):
            refused = frozenset(task.task_id for task in batch.updates)
            refused -= {task.task_id for task in updates}
        left_out = refused | inserts.duplicates.keys()
        self._tasks.add_logs(connection, [it for it in batch.logs if it[0] not in left_out])
        finished = [task for task in chain(updates, inserts.new) if task.status.finished]
        rollups.count(self._sql, connection, finished)
        return Written(refused, inserts.duplicates)

    def _withdraw(self, connection: Connection, batch: Batch) -> None:
        withdraw = self._sql.render(statements.WITHDRAW)
        gone = [
            task.task_id
            for task in batch.withdrawn
            if connection.execute(withdraw, (task.task_id, task.epoch, batch.instance))
        ]
        self._tasks.forget(connection, gone)

    def _ours(self, connection: Connection, batch: Batch) -> list[TaskRecord]:
        ids = [task.task_id for task in batch.updates]
        epochs = dict(self._fetch(connection, statements.OURS, ids, batch.instance))
        return [task for task in batch.updates if epochs.get(task.task_id) == task.epoch]

    def _sort_out(
        self, connection: Connection, records: Sequence[TaskRecord], *, look: bool
    ) -> _Inserts:
        keys = {
            task.task_id: key_hash(task.idempotency_key)
            for task in records
            if task.idempotency_key is not None
        }
        if not keys and not look:
            return _Inserts(new=list(records))
        ids = [task.task_id for task in records] if look else list(keys)
        known = {task_id for (task_id,) in self._fetch(connection, statements.KNOWN, ids)}
        aliases = dict(self._fetch(connection, statements.KNOWN_ALIASES, ids))
        holders = dict(self._fetch(connection, statements.HOLDERS, list(keys.values())))
        unknown = [task for task in records if task.task_id not in known]
        return _sorted_out(unknown, keys, holders, aliases)

    def _add_aliases(self, connection: Connection, duplicates: Mapping[str, str]) -> None:
        insert(self._sql, connection, ALIASES, list(duplicates.items()))

    def _fetch(
        self, connection: Connection, template: str, values: Sequence[Value], *more: Value
    ) -> Iterator[Row]:
        for start in range(0, len(values), _MANY):
            some = values[start : start + _MANY]
            yield from connection.fetch(self._sql.render(template, len(some)), [*some, *more])


def _sorted_out(
    records: Sequence[TaskRecord],
    keys: Mapping[str, bytes],
    holders: dict[bytes, str],
    aliases: Mapping[str, str],
) -> _Inserts:
    """Which of *records*, none of them stored, are new and which are duplicates."""
    inserts = _Inserts()
    for task in records:
        key = keys.get(task.task_id)
        holder = aliases.get(task.task_id) or (None if key is None else holders.get(key))
        if holder is not None:
            inserts.duplicates[task.task_id] = holder
            continue
        inserts.new.append(task)
        if key is not None and task.status.holds_key:
            holders[key] = task.task_id
    return inserts
