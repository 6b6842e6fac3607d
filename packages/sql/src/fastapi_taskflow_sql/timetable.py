"""Settled slots of schedules, and tasks that wait for their hour under a key."""

from __future__ import annotations

from datetime import datetime

from fastapi_taskflow_core.backends.forms import key_hash, micros, moment
from fastapi_taskflow_core.backends.scheduling import SLOTS_KEPT, Later, Slot, SlotOutcome, Turn
from fastapi_taskflow_core.records import TaskRecord, TaskStatus

from . import statements
from .bulk import insert
from .connection import Clock, Connection
from .rows import from_row
from .schema import LATER, SLOTS
from .statements import Statements
from .tasks import Tasks

_KEPT = int(SLOTS_KEPT.total_seconds() * 1e6)
_EVER, _NEVER = -(2**62), 2**62


class Timetable:
    """What the schedules of one database have done and have still to do."""

    def __init__(self, sql: Statements, clock: Clock, tasks: Tasks) -> None:
        self._sql = sql
        self._clock = clock
        self._tasks = tasks

    def fire(self, connection: Connection, slot: Slot, task: TaskRecord | None) -> bool:
        """Settle *slot* with its task; False if it was settled before or is to come."""
        at = micros(slot.at)
        if at > self._clock.now(connection):
            return False
        row = (slot.schedule, at, slot.outcome.value, slot.task_id)
        if not insert(self._sql, connection, SLOTS, [row]):
            return False
        forget = self._sql.render(statements.FORGET_SLOTS)
        connection.execute(forget, (slot.schedule, at - _KEPT))
        if task is not None:
            self._tasks.add(connection, [task])
        return True

    def slots(self, connection: Connection, schedule: str, limit: int) -> list[Slot]:
        """The slots settled last, newest first."""
        last = self._sql.render(statements.LAST_SLOTS, limit=max(0, limit))
        return [
            Slot(of, moment(at), SlotOutcome(outcome), task_id)
            for of, at, outcome, task_id in connection.fetch(last, (schedule,))
        ]

    def put(
        self, connection: Connection, run_key: str, task: TaskRecord, now: datetime
    ) -> str | None:
        """Store *task* under the key; the id of the one that waited there until now."""
        mark = key_hash(run_key)
        # Two who come at once: the second waits here for the first, and then finds its task.
        while not insert(self._sql, connection, LATER, [(mark, run_key, task.task_id)]):
            former = self._holder(connection, mark)
            if former is not None:
                return self._replace(connection, mark, former, task, now)
        self._tasks.add(connection, [task])
        return None

    def drop(self, connection: Connection, run_key: str, now: datetime) -> TaskRecord | None:
        """Cancel what waits under the key."""
        mark = key_hash(run_key)
        waiting = self._holder(connection, mark)
        connection.execute(self._sql.render(statements.DROP_LATER), (mark,))
        return self._cancel(connection, waiting, now) if waiting else None

    def later(
        self, connection: Connection, before: datetime | None, limit: int, after: Turn | None
    ) -> list[Later]:
        """What waits under a key, the soonest first."""
        waiting = self._sql.render(statements.ALL_LATER, limit=max(0, limit))
        until = _NEVER if before is None else micros(before)
        since, task_id = (_EVER, "") if after is None else (micros(after.due), after.task_id)
        return [
            Later(run_key, from_row(tuple(row)))
            for run_key, *row in connection.fetch(waiting, (until, since, since, task_id))
        ]

    def _replace(
        self, connection: Connection, mark: bytes, former: str, task: TaskRecord, now: datetime
    ) -> str | None:
        if former == task.task_id:
            return None
        self._tasks.add(connection, [task])
        connection.execute(self._sql.render(statements.GIVE_LATER), (task.task_id, mark))
        return former if self._cancel(connection, former, now) else None

    def _holder(self, connection: Connection, mark: bytes) -> str | None:
        found = connection.fetch(self._sql.render(statements.LATER), (mark,))
        return found[0][0] if found else None

    def _cancel(self, connection: Connection, task_id: str, now: datetime) -> TaskRecord | None:
        row = self._tasks.find(connection, task_id, lock=True)
        record = None if row is None else from_row(row)
        if record is None or record.status is not TaskStatus.PENDING or record.owner is not None:
            return None
        return self._tasks.cancel(connection, task_id, now)
