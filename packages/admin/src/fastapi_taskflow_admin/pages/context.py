"""What the templates show, worked out without I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi_taskflow_core.backends.base import Page
from fastapi_taskflow_core.counts import Counts, together
from fastapi_taskflow_core.health import Health
from fastapi_taskflow_core.records import RETRYABLE, TaskRecord, TaskStatus

from ..api.query import encode
from . import formats
from .progress import progress

_WORDS = {"func_name": "function", "q": "words", "task_id": "id"}

SEARCHES = ("q", "error", "task_id")
FILTERS = ("func_name", "queue", "tag", *SEARCHES, "since", "until", "source", "instance")

_CHOICES = 100
"""Function names that are offered to choose from."""
_ERROR_LENGTH = 120
_NAME_LENGTH, _TAIL = 40, 6


class Column(NamedTuple):
    """A column that is shown to whoever wants it."""

    name: str
    head: str
    cell: Callable[[TaskRecord], str]


COLUMNS = (
    Column("id", "Id", lambda task: task.task_id),
    Column("priority", "Priority", lambda task: str(task.priority or 0)),
    Column("executor", "Executor", lambda task: task.executor),
    Column("instance", "Instance", lambda task: task.owner or formats.MISSING),
)


def columns_of(wanted: str) -> Sequence[Column]:
    """The columns of these names, separated by commas; unknown ones are none."""
    names = set(wanted.split(","))
    return [column for column in COLUMNS if column.name in names]


@dataclass(frozen=True, slots=True)
class Badge:
    """A status in a word; its kind says colour and icon."""

    kind: str
    word: str


def badge(task: TaskRecord, now: datetime) -> Badge:
    """The badge of a task; one that waits for its time says for what."""
    if task.status is TaskStatus.PENDING and task.run_at is not None and task.run_at > now:
        if task.retries_used:
            return Badge("retrying", "retrying")
        return Badge("scheduled", "scheduled")
    return _BADGES[task.status]


_BADGES = {status: Badge(status.value, status.value) for status in TaskStatus}


class Row(NamedTuple):
    """A task in the list."""

    task: TaskRecord
    name: str
    """What tells it from the others of its function, for whoever does not see where it stands."""
    badge: Badge
    run_at: datetime | None
    """When it is to run, while that lies ahead."""
    running_since: datetime | None
    wait: str
    run_time: str
    attempts: int
    tags: Sequence[str]
    error: str
    progress: str
    can_retry: bool
    can_cancel: bool
    cancelling: bool

    @property
    def has_actions(self) -> bool:
        """Whether there is anything to do about it, or being done."""
        return self.can_retry or self.can_cancel or self.cancelling


def row(task: TaskRecord, now: datetime) -> Row:
    """How a task is listed."""
    shown = badge(task, now)
    attempts, unfinished = task.attempts, not task.status.finished
    began = attempts[0].started_at if attempts else None
    running = task.start_time if task.status is TaskStatus.RUNNING else None
    return Row(
        task=task,
        name=f"{formats.first_line(task.func_name, _NAME_LENGTH)} {task.task_id[-_TAIL:]}",
        badge=shown,
        run_at=task.run_at if shown.kind in ("scheduled", "retrying") else None,
        running_since=running,
        wait=formats.duration(None if began is None else (began - task.created_at).total_seconds()),
        run_time=formats.duration(task.duration),
        attempts=len(attempts),
        tags=[f"{name}={value}" for name, value in (task.tags or {}).items()],
        error=formats.first_line(task.error or "", _ERROR_LENGTH),
        progress=progress(task),
        can_retry=task.status in RETRYABLE,
        can_cancel=unfinished and not task.cancel_requested,
        cancelling=unfinished and task.cancel_requested,
    )


@dataclass(frozen=True, slots=True)
class Address:
    """The query of a page's URL, to link to the same page with something changed."""

    pairs: Sequence[tuple[str, str]]

    def href(self, **changes: str | None) -> str:
        """A relative link where *changes* replace what stood; None takes it out."""
        kept = [(name, value) for name, value in self.pairs if name not in changes and value]
        added = [(name, value) for name, value in changes.items() if value is not None]
        return "?" + urlencode(kept + added)

    def value(self, name: str) -> str:
        """What the URL says last for *name*, empty when nothing."""
        return dict(self.pairs).get(name, "")

    @property
    def filters(self) -> list[tuple[str, str]]:
        """The filters in force beside the status."""
        return [(name, self.value(name)) for name in FILTERS if self.value(name)]

    @property
    def searches(self) -> bool:
        """Whether words are looked for."""
        return any(map(self.value, SEARCHES))

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """The same in words, each with the link of the page without it."""
        return [
            (_WORDS.get(name, name), value, self.href(cursor=None, **{name: None}))
            for name, value in self.filters
        ]


@dataclass(frozen=True, slots=True)
class Tab:
    """A status to filter by; ``kind`` is its word and its icon."""

    kind: str
    count: str
    href: str
    selected: bool


def tabs(address: Address, selected: Sequence[TaskStatus], counts: Counts | None) -> list[Tab]:
    """All, and one per status, with how many tasks ended or stand there; None if nobody counts."""
    total = None if counts is None else sum(counts.values())
    counts = counts or {}
    return [
        _tab("all", total, address, None, selected=not selected),
        *(
            _tab(each.value, counts.get(each), address, each.value, selected=each in selected)
            for each in TaskStatus
        ),
    ]


def _tab(
    kind: str, count: int | None, address: Address, status: str | None, *, selected: bool
) -> Tab:
    told = "" if count is None else formats.count(count)
    return Tab(kind, told, address.href(status=status, cursor=None), selected)


def counted(address: Address, ever: Counts, functions: Mapping[str, Counts]) -> Counts | None:
    """How many tasks the filters beside the status let through, where that is counted."""
    filters = dict(address.filters)
    if not filters:
        return ever
    return functions.get(filters["func_name"]) if [*filters] == ["func_name"] else None


@dataclass(frozen=True, slots=True)
class Board:
    """The part of the task list that is refreshed."""

    address: Address
    tabs: Sequence[Tab]
    rows: Sequence[Row]
    newer: str | None
    older: str | None
    all: str
    """The query of everything that the filters let through."""
    total: str
    """How many tasks there are without filters."""
    functions: Sequence[str]
    """Names to choose from."""
    columns: Sequence[Column]
    """Those beyond the usual ones."""
    ever: bool
    """Whether there has been any task at all."""
    filtered: bool


def board(
    address: Address,
    page: Page,
    counts: Mapping[str, Counts],
    now: datetime,
    columns: Sequence[Column] = (),
) -> Board:
    """The list as it stands; *counts* are those of each function."""
    ever = together(counts.values())
    total = sum(ever.values())
    parameters = [TaskStatus(value) for name, value in address.pairs if name == "status"]
    return Board(
        address=address,
        tabs=tabs(address, parameters, counted(address, ever, counts)),
        rows=[row(task, now) for task in page.tasks],
        newer=None if page.previous is None else address.href(cursor=encode(page.previous)),
        older=None if page.next is None else address.href(cursor=encode(page.next)),
        all=address.href(cursor=None, limit=None),
        total=formats.count(total),
        functions=list(counts)[:_CHOICES],
        columns=columns,
        ever=bool(page.tasks) or total > 0,
        filtered=bool(parameters or address.filters),
    )


def trouble(health: Health) -> str:
    """What people need to know about the storage, empty when it is up."""
    if health.state == "up":
        return ""
    since = f" since {formats.clock(health.since)}" if health.since else ""
    told = f": {health.last_error}" if health.last_error else ""
    waiting = f" {formats.count(health.buffered)} changes wait to be written."
    dropped = f" {formats.count(health.dropped)} history records were given up."
    return (
        f"The task storage is {health.state}{since}{told}."
        + (waiting if health.buffered else "")
        + (dropped if health.dropped else "")
    )
