"""What storage does for us: the contract every backend keeps.

Each operation is atomic on its own and safe to repeat. Times that decide about ownership
(``beat``, ``claim``) are the store's own clock, never the caller's. All operations raise
`BackendUnavailable` when the same call may work later and `BackendMisconfigured` when it
will not; nothing is applied in part. The conformance suite of the test kit states every
sentence here as a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from ..records import UNFINISHED, LogEntry, Source, TaskRecord, TaskStatus
from ..rollups import Resolution, RollupKey, RollupValue
from .audit import AuditStore
from .scheduling import ScheduleStore
from .settings import SettingStore


class Capabilities(NamedTuple):
    """What a backend can do beyond the contract."""

    survives_restart: bool
    """What was written is there after the process is gone."""
    shared: bool
    """Other processes see the same data."""


class Batch(NamedTuple):
    """Changes to write in one transaction, on behalf of one instance.

    A task is at most once in ``inserts`` or ``updates``. The records are handed over: whoever
    wrote them does not change them any more.
    """

    instance: str
    inserts: Sequence[TaskRecord] = ()
    """Tasks not known to be stored, in any status. One that is there after all, because the
    answer to an earlier attempt was lost, is applied as an update."""
    updates: Sequence[TaskRecord] = ()
    """Tasks stored before; applied where owner is ``instance``, the epoch is the same and the
    stored status is unfinished. ``owner`` in the record is the new owner (None releases).
    One that finds the task finished in just the same way was applied before, and is no news."""
    logs: Sequence[tuple[str, LogEntry]] = ()
    """Log lines with the id of their task; repeating one changes nothing."""
    withdrawn: Sequence[TaskRecord] = ()
    """Tasks to remove again, where still PENDING, owned by ``instance``, at the same epoch.
    One with an alias, that others were promised, loses its owner instead."""
    durable: bool = True
    """Whether the batch must survive power loss once ``write`` returns."""

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.inserts or self.updates or self.logs or self.withdrawn)


class Written(NamedTuple):
    """What became of a batch; everything not named here was applied."""

    refused: frozenset[str] = frozenset()
    """Updates not applied: the task has another owner or epoch by now, or is finished or gone."""
    duplicates: Mapping[str, str] = MappingProxyType({})
    """Inserts not applied, because a task holds their idempotency key: id -> the holder's id.
    From now on the id is an alias of the holder for ``get`` and ``request_cancel``."""


class PayloadChange(NamedTuple):
    """The same arguments in other bytes."""

    task_id: str
    old: bytes
    new: bytes


class Beat(NamedTuple):
    """A sign of life of one instance."""

    instance: str
    host: str
    pid: int
    version: str
    started_at: datetime
    lease: timedelta
    """How long after this beat the instance counts as living."""
    running: int = 0
    waiting: int = 0
    loop_lag: float = 0.0
    """Seconds the event loop was last late."""
    draining: bool = False


class Pulse(NamedTuple):
    """The store's answer to a beat."""

    now: datetime
    """The store's clock."""
    alive: bool
    """False: the instance had been declared dead, and what it owned was given away."""
    cancels: frozenset[str] = frozenset()
    """Unfinished tasks of this instance whose cancellation was requested."""


class Claim(NamedTuple):
    """Which tasks the caller wants to own."""

    instance: str
    functions: frozenset[str]
    """Names it can run; others are left alone."""
    limit: int = 100
    max_crashes: int = 3
    """A task during which its process died this often is FAILED instead of claimed."""


@dataclass(frozen=True, slots=True)
class InstanceInfo:
    """One instance as the store knows it.

    ``beat_age``: seconds since its last sign of life; ``lease``: how many it lives on without.
    """

    instance: str
    host: str
    pid: int
    version: str
    started_at: datetime
    beat_age: float
    living: bool
    running: int
    waiting: int
    loop_lag: float
    draining: bool
    lease: float


class Cursor(NamedTuple):
    """A place in the list of tasks: right after this one, in the given direction."""

    created_at: datetime
    task_id: str
    direction: Literal["older", "newer"] = "older"


@dataclass(frozen=True, slots=True)
class Query:
    """Which tasks to list, newest first. Filters combine by *and*; empty ones admit all."""

    statuses: frozenset[TaskStatus] = frozenset()
    func_name: str | None = None
    queue: str | None = None
    tag: str | None = None
    """``name=value``, or ``name`` for any value."""
    source: Source | None = None
    text: str | None = None
    """A word to look for, letter case aside (ASCII), in function name, error and task id. Of very
    many tasks a backend may look only through the newest ones, 100,000 or more."""
    error: str | None = None
    """A word to look for as for ``text``, in the error alone."""
    id_start: str | None = None
    """What the task id begins with; looked for as ``text`` is."""
    since: datetime | None = None
    """Created at this time or later."""
    until: datetime | None = None
    """Created before this time."""
    retry_of: str | None = None
    owner: str | None = None
    """Only unfinished tasks, those that this instance has."""
    limit: int = 50
    cursor: Cursor | None = None

    @property
    def has_words(self) -> bool:
        """Whether it asks for something that no index helps to find."""
        return bool(self.text or self.error or self.id_start)

    @property
    def each_status(self) -> Sequence[TaskStatus | None]:
        """The statuses to look for, one after the other; None stands for any."""
        if self.owner is None:
            return sorted(self.statuses) or [None]
        return sorted((self.statuses or UNFINISHED) & UNFINISHED)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of tasks, newest first, without their logs; cursors where there is more."""

    tasks: Sequence[TaskRecord]
    next: Cursor | None = None
    """Towards older tasks."""
    previous: Cursor | None = None
    """Towards newer tasks."""


class RollupQuery(NamedTuple):
    """Which counters to read, summed over steps of ``step`` (None: one sum of them all).

    With neither times nor a step it asks for the sums of all time. Others are kept for as long
    as `rollups.KEPT` says, or longer.
    """

    resolution: Resolution
    since: datetime | None = None
    until: datetime | None = None
    step: timedelta | None = None
    """A multiple of the resolution, counted from the Unix epoch."""
    func_name: str | None = None
    queue: str | None = None
    together: bool = False
    """Functions and queues in one sum, under empty names."""
    buckets: bool = True
    """Whether values are told apart by their bucket; else all of them are under bucket 0."""

    @property
    def ever(self) -> bool:
        """Whether it asks for the sums of all time."""
        return self.since is None and self.until is None and self.step is None


class Unfinished(NamedTuple):
    """A group of tasks that wait or run."""

    func_name: str
    queue: str
    status: TaskStatus


class TaskStore(Protocol):
    """What the engine asks of storage."""

    @property
    def capabilities(self) -> Capabilities:
        """What this backend can do beyond the contract."""

    async def open(self) -> None:
        """Connect, create or migrate what is stored. Twice is once.

        Raises:
            BackendUnavailable: not reachable now.
            BackendMisconfigured: wrong credentials, path, rights or settings.
            SchemaTooNew: written by a newer version; nothing was touched.
        """

    async def close(self) -> None:
        """Let go of every connection. Safe before ``open`` and twice."""

    async def write(self, batch: Batch) -> Written:
        """Apply *batch* in one transaction, counting finished tasks in the roll-ups.

        An insert with an idempotency key that a stored task still holds (see
        ``TaskStatus.holds_key``) is not applied but reported as a duplicate, and its id
        becomes an alias. Keys are compared byte by byte.
        """

    async def claim(self, wanted: Claim) -> Sequence[TaskRecord]:
        """Give the caller at most ``limit`` due tasks: each goes to one caller, epoch + 1.

        First the tasks of dead instances are put in order: one that was RUNNING becomes
        PENDING if ``requeue_on_interrupt`` (crashes + 1, FAILED at ``max_crashes``), else
        INTERRUPTED; one that was PENDING stays so if ``persist``, else INTERRUPTED. Then
        PENDING tasks without owner, with ``run_at`` unset or past, are handed out: higher
        priority first, then earlier ``run_at``, then smaller id. They come as stored,
        payload included, with ``owner`` the caller.
        """

    async def beat(self, beat: Beat) -> Pulse:
        """Note that the instance lives; learn the time and what was asked of it."""

    async def leave(self, instance: str) -> None:
        """Forget the instance; what it still owns is as if it had died. Twice is once."""

    async def request_cancel(self, task_id: str, now: datetime) -> TaskRecord | None:
        """Cancel a PENDING task without owner at once; flag any other unfinished one.

        The owner of a flagged task learns of it with its next beat. Returns the record as
        it then stands (through an alias too), None when there is none.
        """

    async def replace_payloads(self, changes: Sequence[PayloadChange]) -> int:
        """Store other bytes for the arguments of tasks that still have those they had.

        Nothing else of a task changes. Returns how many tasks were changed.
        """

    async def delete(self, before: datetime, limit: int) -> int:
        """Remove at most *limit* tasks that finished before then, oldest first.

        Their logs and aliases go with them; roll-ups stay. Returns how many tasks went.
        """


class TaskReader(Protocol):
    """What pages and the API ask of storage. Reads see every committed write."""

    async def get(self, task_id: str) -> TaskRecord | None:
        """The task, or the one this id is an alias of; without its logs."""

    async def query(self, query: Query) -> Page:
        """One page of tasks."""

    async def logs(
        self, task_id: str, after: int = 0, limit: int = 200, *, latest: bool = False
    ) -> Sequence[LogEntry]:
        """Log lines with ``seq > after``, in order, through an alias too.

        At most *limit*: the first of them, or with *latest* the last.
        """

    async def rollups(self, query: RollupQuery) -> Mapping[RollupKey, RollupValue]:
        """Counters, summed per step; with no step their ``start`` is the Unix epoch."""

    async def unfinished(self) -> Mapping[Unfinished, int]:
        """How many tasks wait and run, by function, queue and status."""

    async def instances(self) -> Sequence[InstanceInfo]:
        """Every instance that beat, until it leaves or is declared dead; longest started first."""


class Backend(TaskStore, TaskReader, ScheduleStore, SettingStore, AuditStore, Protocol):
    """Storage for tasks and what belongs to them: each reader of it asks for its own part."""

    def another(self) -> Backend:
        """A further backend for the same data, with connections of its own, not open yet.

        It may be opened and used on the event loop of another thread.
        """
