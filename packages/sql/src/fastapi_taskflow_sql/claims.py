"""Claiming: what dead instances left is put in order, then due tasks are handed out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from fastapi_taskflow_core.backends.base import Claim
from fastapi_taskflow_core.backends.forms import moment
from fastapi_taskflow_core.orphans import orphan
from fastapi_taskflow_core.records import TaskRecord

from . import statements
from .connection import Clock, Connection, Row
from .instances import Instances
from .rows import from_row
from .statements import Statements
from .tasks import Tasks

logger = logging.getLogger(__name__)

_MANY = 200


class Claimed(NamedTuple):
    """What came of a claim."""

    tasks: list[TaskRecord]
    buried: list[str]
    """Instances that were declared dead."""


class Claims:
    """Hands out the tasks of one database."""

    def __init__(self, sql: Statements, clock: Clock, tasks: Tasks, instances: Instances) -> None:
        self._sql = sql
        self._clock = clock
        self._tasks = tasks
        self._instances = instances

    def claim(self, connection: Connection, wanted: Claim) -> Claimed:
        """Put the tasks of the dead in order, then give the caller what is due."""
        now = self._clock.now(connection)
        buried = self._instances.bury(connection)
        for owner in self._instances.dead_owners(connection):
            self._inherit(connection, owner, moment(now), wanted.max_crashes)
        self._tasks.counters.clear(connection, moment(now))
        return Claimed(self._hand_out(connection, wanted, now), buried)

    def _inherit(self, connection: Connection, owner: str, now: datetime, max_crashes: int) -> None:
        owned = self._sql.render(statements.OWNED)
        while rows := connection.fetch(owned, (owner,)):
            records = self._readable(connection, rows, now)
            for record in records:
                orphan(record, now, max_crashes)
            self._tasks.change(connection, records, owner)
            ended = [record for record in records if record.status.finished]
            self._tasks.counters.add(connection, ended)

    def _hand_out(self, connection: Connection, wanted: Claim, now: int) -> list[TaskRecord]:
        functions = sorted(wanted.functions)
        if not functions or wanted.limit < 1:
            return []
        # To name thousands of functions costs more than to see that nothing waits.
        if len(functions) > _MANY and not connection.fetch(
            self._sql.render(statements.ANY_DUE), (now,)
        ):
            return []
        due = self._sql.render(statements.DUE, len(functions), wanted.limit)
        rows = connection.fetch(due, (now, *functions))
        records = self._readable(connection, rows, moment(now))
        if records:
            ids = [record.task_id for record in records]
            connection.execute(self._sql.render(statements.TAKE, len(ids)), (wanted.instance, *ids))
        for record in records:
            record.owner = wanted.instance
            record.epoch += 1
        return records

    def _readable(
        self, connection: Connection, rows: Sequence[Row], now: datetime
    ) -> list[TaskRecord]:
        """The unfinished tasks of these rows; rows that cannot be read have FAILED by that.

        Otherwise they would stand first in every list of what is due, and nobody could run
        them.
        """
        records = [from_row(row) for row in rows]
        for row, record in zip(rows, records, strict=True):
            if record.status.finished:
                logger.error("task %s has failed: %s", record.task_id, record.error)
                record.end_time = now
                self._tasks.condemn(connection, row[0], record)
        return [record for record in records if not record.status.finished]
