"""The default backend: everything in the memory of this process, and never more than fits."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from threading import Lock

from ..checks import whole
from ..lifecycle import Event, transition
from ..orphans import orphan
from ..records import LogEntry, TaskRecord, TaskStatus
from ..rollups import RollupKey, RollupValue, tally
from ..surroundings import Clock, SystemClock
from .audit import AuditEntry, AuditQuery
from .base import (
    Backend,
    Batch,
    Beat,
    Capabilities,
    Claim,
    InstanceInfo,
    Page,
    PayloadChange,
    Pulse,
    Query,
    RollupQuery,
    Unfinished,
    Written,
)
from .counters import Counters
from .listing import page
from .notes import Settings, Trail
from .roster import Roster
from .scheduling import Later, Slot, Turn
from .settings import Setting, SettingChange
from .shelves import Shelves
from .timetable import Timetable


class MemoryBackend:
    """Keeps tasks in memory: fast, bounded, and gone with the process.

    Args:
        history_limit: How many finished tasks are kept, 1 or more; the oldest go first, with
            their logs, aliases and keys. Roll-ups stay: by minute for 25 hours, by hour for
            31 days.
        clock: What tells the time; the clock of this machine unless given.

    Raises:
        TypeError: *history_limit* is not an int.
        ValueError: *history_limit* is less than 1.
    """

    def __init__(self, history_limit: int = 10_000, clock: Clock | None = None) -> None:
        self._clock = SystemClock() if clock is None else clock
        self._shelves = Shelves(whole("history_limit", history_limit, least=1))
        self._counters = Counters(self._clock)
        self._roster = Roster(self._clock)
        self._timetable = Timetable(self._shelves)
        self._settings = Settings(self._clock)
        self._trail = Trail()
        # The heartbeat comes from a thread of its own; nothing waits while it is held.
        self._lock = Lock()

    @property
    def capabilities(self) -> Capabilities:
        """Nothing beyond the contract."""
        return Capabilities(survives_restart=False, shared=False)

    def another(self) -> Backend:
        """This one: it has no connections, and any thread may use it."""
        return self

    async def open(self) -> None:
        """There is nothing to open."""

    async def close(self) -> None:
        """There is nothing to close; what is stored stays."""

    async def write(self, batch: Batch) -> Written:
        """See `TaskStore.write`. Stores the records themselves, not copies of them."""
        with self._lock:
            return self._write(batch)

    async def claim(self, wanted: Claim) -> Sequence[TaskRecord]:
        """See `TaskStore.claim`."""
        with self._lock:
            now = self._clock.now()
            self._inherit(now, wanted.max_crashes)
            chosen = heapq.nsmallest(max(0, wanted.limit), self._due(now, wanted), key=_urgency)
            for task in chosen:
                task.owner = wanted.instance
                task.epoch += 1
            return [_shown(task) for task in chosen]

    async def beat(self, beat: Beat) -> Pulse:
        """See `TaskStore.beat`."""
        with self._lock:
            alive = self._roster.beat(beat)
            cancels = frozenset(
                task.task_id
                for task in self._shelves.unfinished.values()
                if task.cancel_requested and task.owner == beat.instance
            )
            return Pulse(self._clock.now(), alive, cancels)

    async def leave(self, instance: str) -> None:
        """See `TaskStore.leave`."""
        with self._lock:
            self._roster.leave(instance)

    async def request_cancel(self, task_id: str, now: datetime) -> TaskRecord | None:
        """See `TaskStore.request_cancel`."""
        with self._lock:
            task = self._shelves.find(task_id)
            if task is None:
                return None
            if task.status is TaskStatus.PENDING and task.owner is None:
                self._cancel(task, now)
            elif not task.status.finished:
                task.cancel_requested = True
            return _shown(task)

    async def replace_payloads(self, changes: Sequence[PayloadChange]) -> int:
        """See `TaskStore.replace_payloads`."""
        with self._lock:
            changed = 0
            for task_id, old, new in changes:
                task = self._shelves.find(task_id)
                if task is not None and task.task_id == task_id and task.payload == old:
                    task.payload = new
                    changed += 1
            return changed

    async def delete(self, before: datetime, limit: int) -> int:
        """See `TaskStore.delete`."""
        with self._lock:
            return self._shelves.delete(before, limit)

    async def get(self, task_id: str) -> TaskRecord | None:
        """See `TaskReader.get`."""
        with self._lock:
            task = self._shelves.find(task_id)
            return None if task is None else _shown(task)

    async def query(self, query: Query) -> Page:
        """See `TaskReader.query`."""
        with self._lock:
            found = page(self._shelves.all(), query)
            return Page([_shown(task) for task in found.tasks], found.next, found.previous)

    async def logs(
        self, task_id: str, after: int = 0, limit: int = 200, *, latest: bool = False
    ) -> Sequence[LogEntry]:
        """See `TaskReader.logs`."""
        with self._lock:
            return self._shelves.lines(task_id, after, limit, latest=latest)

    async def rollups(self, query: RollupQuery) -> Mapping[RollupKey, RollupValue]:
        """See `TaskReader.rollups`."""
        with self._lock:
            return self._counters.read(query)

    async def unfinished(self) -> Mapping[Unfinished, int]:
        """See `TaskReader.unfinished`."""
        with self._lock:
            return Counter(
                Unfinished(task.func_name, task.queue, task.status)
                for task in self._shelves.unfinished.values()
            )

    async def instances(self) -> Sequence[InstanceInfo]:
        """See `TaskReader.instances`."""
        with self._lock:
            return self._roster.list()

    async def fire(self, slot: Slot, task: TaskRecord | None = None) -> bool:
        """See `ScheduleStore.fire`."""
        with self._lock:
            if slot.at > self._clock.now() or not self._timetable.settle(slot):
                return False
            self._add(task)
            return True

    async def slots(self, schedule: str, limit: int = 20) -> Sequence[Slot]:
        """See `ScheduleStore.slots`."""
        with self._lock:
            return self._timetable.slots(schedule, limit)

    async def put_later(self, run_key: str, task: TaskRecord, now: datetime) -> str | None:
        """See `ScheduleStore.put_later`."""
        with self._lock:
            if self._timetable.holds(run_key, task.task_id):
                return None
            self._add(task)
            replaced = self._timetable.take_key(run_key, task.task_id)
            if replaced is None:
                return None
            self._cancel(replaced, now)
            return replaced.task_id

    async def drop_later(self, run_key: str, now: datetime) -> TaskRecord | None:
        """See `ScheduleStore.drop_later`."""
        with self._lock:
            task = self._timetable.drop_key(run_key)
            if task is None:
                return None
            self._cancel(task, now)
            return _shown(task)

    async def later(
        self, before: datetime | None = None, limit: int = 200, after: Turn | None = None
    ) -> Sequence[Later]:
        """See `ScheduleStore.later`."""
        with self._lock:
            waiting = self._timetable.later(before, limit, after)
            return [Later(it.run_key, _shown(it.task)) for it in waiting]

    async def change_setting(self, change: SettingChange) -> bool:
        """See `SettingStore.change_setting`."""
        with self._lock:
            return self._settings.change(change)

    async def settings(self, prefix: str = "") -> Mapping[str, Setting]:
        """See `SettingStore.settings`."""
        with self._lock:
            return self._settings.read(prefix)

    async def note(self, entry: AuditEntry) -> None:
        """See `AuditStore.note`."""
        with self._lock:
            self._trail.note(entry)

    async def audit(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """See `AuditStore.audit`."""
        with self._lock:
            return self._trail.read(query)

    def _write(self, batch: Batch) -> Written:
        finished = [task for task in chain(batch.inserts, batch.updates) if task.status.finished]
        # A record that cannot be counted must fail the batch before anything is stored.
        counted = tally(finished, "minute")
        outcome = self._shelves.write(batch)
        if len(outcome.finished) < len(finished):
            counted = tally(outcome.finished, "minute")
        self._counters.add(counted)
        return outcome.written()

    def _inherit(self, now: datetime, max_crashes: int) -> None:
        living = self._roster.bury()
        orphans = [
            task
            for task in self._shelves.unfinished.values()
            if task.owner is not None and task.owner not in living
        ]
        for task in orphans:
            orphan(task, now, max_crashes)
            if task.status.finished:
                self._finish(task)

    def _due(self, now: datetime, wanted: Claim) -> Iterator[TaskRecord]:
        return (
            task
            for task in self._shelves.unfinished.values()
            if task.status is TaskStatus.PENDING
            and task.owner is None
            and (task.run_at is None or task.run_at <= now)
            and task.func_name in wanted.functions
        )

    def _add(self, task: TaskRecord | None) -> None:
        if task is not None:
            self._shelves.write(Batch(task.owner or "", inserts=[task.copy()]))

    def _cancel(self, task: TaskRecord, now: datetime) -> None:
        transition(task, Event.CANCEL, now)
        self._finish(task)

    def _finish(self, task: TaskRecord) -> None:
        self._shelves.finish(task)
        self._counters.add(tally([task], "minute"))


def _urgency(task: TaskRecord) -> tuple[int, float, str]:
    due = 0.0 if task.run_at is None else task.run_at.timestamp()
    return -(task.priority or 0), due, task.task_id


def _shown(task: TaskRecord) -> TaskRecord:
    """A copy that nobody can change the store with."""
    shown = task.copy()
    shown.logs = ()
    if shown.tags is not None:
        shown.tags = dict(shown.tags)
    return shown
