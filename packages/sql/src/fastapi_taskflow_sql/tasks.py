"""Tasks by their id: stored, changed, found, removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from fastapi_taskflow_core.backends.base import PayloadChange
from fastapi_taskflow_core.backends.forms import micros
from fastapi_taskflow_core.lifecycle import Event, transition
from fastapi_taskflow_core.records import LogEntry, TaskRecord, TaskStatus

from . import statements
from .bulk import insert
from .connection import Connection, Row, Value
from .rollups import Counters
from .rows import (
    COLUMNS,
    FOUND_BY,
    PLAIN_COLUMNS,
    UPDATED,
    from_row,
    is_plain,
    log_row,
    tag_rows,
    to_log,
    to_rows,
)
from .schema import LOGS, TAGS, TASKS
from .statements import Statements

_MANY = 500


class Tasks:
    """The tasks of one database and what belongs to them."""

    def __init__(self, sql: Statements) -> None:
        self._sql = sql
        self.counters = Counters(sql)
        """Count what is finished; whoever ends a task adds it."""

    def add(self, connection: Connection, records: Sequence[TaskRecord]) -> int:
        """Store new tasks; how many were not there yet."""
        plain = [record for record in records if is_plain(record)]
        added = self._insert(connection, plain, PLAIN_COLUMNS)
        if len(plain) < len(records):
            full = [record for record in records if not is_plain(record)]
            added += self._insert(connection, full, COLUMNS)
            tagged = [row for record in records if record.tags for row in tag_rows(record)]
            insert(self._sql, connection, TAGS, tagged)
        return added

    def add_logs(self, connection: Connection, lines: Iterable[tuple[str, LogEntry]]) -> None:
        """Store log lines that are not there yet."""
        insert(self._sql, connection, LOGS, [log_row(*line) for line in lines])

    def change(self, connection: Connection, records: Sequence[TaskRecord], owner: str) -> int:
        """Update unfinished tasks of *owner* at the same epoch; how many there were."""
        if not records:
            return 0
        columns, rows = to_rows(records, (*UPDATED, *FOUND_BY))
        return sum(
            connection.execute(
                self._sql.update(columns, len(chunk)), [*chain.from_iterable(chunk), owner]
            )
            for chunk in self._sql.chunks(rows, len(columns))
        )

    def find(self, connection: Connection, task_id: str, *, lock: bool = False) -> Row | None:
        """The row of the task, or of the one this id is an alias of."""
        task = self._sql.render(statements.TASK_LOCKED if lock else statements.TASK)
        found = connection.fetch(task, (task_id,))
        return found[0] if found else self._find_alias(connection, task, task_id)

    def logs(
        self, connection: Connection, task_id: str, after: int, limit: int, *, latest: bool
    ) -> list[LogEntry]:
        """The first log lines behind *after*, or the last; in order, through an alias too."""
        alias = connection.fetch(self._sql.render(statements.ALIAS), (task_id,))
        lines = statements.LAST_LOG_LINES if latest else statements.FIRST_LOG_LINES
        owner = alias[0][0] if alias else task_id
        rows = connection.fetch(self._sql.render(lines, limit=max(0, limit)), (owner, after))
        return [to_log(row) for row in (reversed(rows) if latest else rows)]

    def cancel(self, connection: Connection, task_id: str, now: datetime) -> TaskRecord | None:
        """End a task that waits and is nobody's, flag another unfinished one."""
        row = self.find(connection, task_id, lock=True)
        if row is None:
            return None
        record = from_row(row)
        if record.status.finished:
            return record
        if record.status is TaskStatus.PENDING and record.owner is None:
            transition(record, Event.CANCEL, now)
            ended = micros(now)
            cancel = self._sql.render(statements.CANCEL)
            connection.execute(cancel, (ended, ended, record.task_id))
            self.counters.add(connection, [record])
        else:
            record.cancel_requested = True
            connection.execute(self._sql.render(statements.FLAG_CANCEL), (record.task_id,))
        return record

    def condemn(self, connection: Connection, key: Value, record: TaskRecord) -> None:
        """End a task whose row cannot be read as *record* says; *key* is its id as stored."""
        ended = None if record.end_time is None else micros(record.end_time)
        condemn = self._sql.render(statements.CONDEMN)
        connection.execute(condemn, (record.error, ended, ended, key))
        self.counters.add(connection, [record])

    def replace_payloads(self, connection: Connection, changes: Sequence[PayloadChange]) -> int:
        """Store other bytes for the arguments of tasks that still have those they had."""
        replace = self._sql.render(statements.REPLACE_PAYLOAD)
        return sum(
            connection.execute(replace, (change.new, change.task_id, change.old))
            for change in changes
        )

    def delete(self, connection: Connection, before: datetime, limit: int) -> int:
        """Remove the tasks that finished first, and what belongs to them."""
        oldest = self._sql.render(statements.OLDEST_FINISHED, limit=max(0, limit))
        ids = [task_id for (task_id,) in connection.fetch(oldest, (micros(before),))]
        self.forget(connection, ids)
        return len(ids)

    def forget(self, connection: Connection, ids: Sequence[str]) -> None:
        """Remove tasks with logs, tags and aliases."""
        for start in range(0, len(ids), _MANY):
            some = ids[start : start + _MANY]
            for statement in statements.FORGET_TASKS:
                connection.execute(self._sql.render(statement, len(some)), some)

    def _insert(
        self, connection: Connection, records: Sequence[TaskRecord], columns: Sequence[str]
    ) -> int:
        held, rows = to_rows(records, columns)
        return insert(self._sql, connection, TASKS, rows, columns=held)

    def _find_alias(self, connection: Connection, task: str, task_id: str) -> Row | None:
        alias = connection.fetch(self._sql.render(statements.ALIAS), (task_id,))
        found = connection.fetch(task, alias[0]) if alias else []
        return found[0] if found else None
