"""What the templates show, worked out without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from fastapi_taskflow_core.backends.base import Page
from fastapi_taskflow_core.health import Health
from fastapi_taskflow_core.metrics import Figures, Metrics
from fastapi_taskflow_core.records import RETRYABLE, TaskRecord, TaskStatus

from ..api.query import encode
from . import formats

FILTERS = ("func_name", "queue", "tag", "q", "since", "until", "source")

_ICONS = {
    TaskStatus.PENDING: "clock",
    TaskStatus.RUNNING: "play",
    TaskStatus.SUCCESS: "check",
    TaskStatus.FAILED: "cross",
    TaskStatus.INTERRUPTED: "bolt",
    TaskStatus.CANCELLED: "ban",
    TaskStatus.REJECTED: "full",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """A status in a word, with its colour and icon."""

    kind: str
    word: str
    icon: str


def badge(task: TaskRecord, now: datetime) -> Badge:
    """The badge of a task; one that waits for its time says for what."""
    if task.status is TaskStatus.PENDING and task.run_at is not None and task.run_at > now:
        if task.retries_used:
            return Badge("retrying", "retrying", "redo")
        return Badge("scheduled", "scheduled", "calendar")
    return status_badge(task.status)


def status_badge(status: TaskStatus) -> Badge:
    """The badge of a status."""
    return Badge(status.value, status.value, _ICONS[status])


@dataclass(frozen=True, slots=True)
class Row:
    """A task in the list."""

    task: TaskRecord
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


def row(task: TaskRecord, now: datetime) -> Row:
    """How a task is listed."""
    shown = badge(task, now)
    began = task.attempts[0].started_at if task.attempts else None
    running = task.start_time if task.status is TaskStatus.RUNNING else None
    return Row(
        task=task,
        badge=shown,
        run_at=task.run_at if shown.kind in ("scheduled", "retrying") else None,
        running_since=running,
        wait=formats.duration(None if began is None else (began - task.created_at).total_seconds()),
        run_time=formats.duration(task.duration),
        attempts=len(task.attempts),
        tags=[f"{name}={value}" for name, value in (task.tags or {}).items()],
        error=formats.first_line(task.error or ""),
        progress=progress(task),
        can_retry=task.status in RETRYABLE,
        can_cancel=not task.status.finished and not task.cancel_requested,
    )


def progress(task: TaskRecord) -> str:
    """How far a running task is, in words; empty when it did not say."""
    told = task.progress
    if told is None or task.status is not TaskStatus.RUNNING:
        return ""
    done = f"{told.done:g}" if told.total is None else f"{told.done:g} of {told.total:g}"
    return f"{done} {told.message}" if told.message else done


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


@dataclass(frozen=True, slots=True)
class Tab:
    """A status to filter by; ``kind`` is its colour, ``icon`` may be missing."""

    word: str
    kind: str
    icon: str | None
    count: str
    href: str
    selected: bool


def tabs(address: Address, selected: Sequence[TaskStatus], figures: Figures) -> list[Tab]:
    """All, and one per status, with how many tasks ended or stand there."""
    total = formats.count(figures.total)
    everything = Tab(
        "all", "all", None, total, address.href(status=None, cursor=None), not selected
    )
    return [everything, *(_tab(address, status, selected, figures) for status in TaskStatus)]


def _tab(
    address: Address, status: TaskStatus, selected: Sequence[TaskStatus], figures: Figures
) -> Tab:
    shown = status_badge(status)
    return Tab(
        shown.word,
        shown.kind,
        shown.icon,
        formats.count(figures.counts[status]),
        address.href(status=status.value, cursor=None),
        status in selected,
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """A number at the head of the page."""

    name: str
    value: str
    note: str
    kind: str = ""


def headline(figures: Figures) -> list[Figure]:
    """The five figures that say whether everything is all right."""
    counts, times = figures.counts, figures.durations
    failed = counts[TaskStatus.FAILED]
    return [
        Figure("Waiting", formats.count(counts[TaskStatus.PENDING]), "now"),
        Figure("Running", formats.count(counts[TaskStatus.RUNNING]), "now", "running"),
        Figure("Failed", formats.count(failed), "all time", "failed" if failed else ""),
        Figure(
            "Success rate",
            formats.share(figures.success_rate) if figures.finished else formats.MISSING,
            f"of {formats.count(figures.finished)} finished",
        ),
        Figure(
            "Run time, p95", formats.duration(times.p95), f"median {formats.duration(times.p50)}"
        ),
    ]


@dataclass(frozen=True, slots=True)
class Board:
    """The part of the task list that is refreshed."""

    address: Address
    figures: Sequence[Figure]
    tabs: Sequence[Tab]
    rows: Sequence[Row]
    newer: str | None
    older: str | None
    ever: bool
    """Whether there has been any task at all."""
    filtered: bool
    trouble: str
    """What is wrong with the storage; empty when nothing is."""


def board(address: Address, page: Page, metrics: Metrics, health: Health, now: datetime) -> Board:
    """The list as it stands."""
    parameters = [TaskStatus(value) for name, value in address.pairs if name == "status"]
    return Board(
        address=address,
        figures=headline(metrics.overall),
        tabs=tabs(address, parameters, metrics.overall),
        rows=[row(task, now) for task in page.tasks],
        newer=None if page.previous is None else address.href(cursor=encode(page.previous)),
        older=None if page.next is None else address.href(cursor=encode(page.next)),
        ever=bool(page.tasks) or metrics.overall.total > 0,
        filtered=bool(parameters or address.filters),
        trouble=trouble(health),
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
