"""A task's attempts as bars over time: where it waited, ran and paused. Worked out without I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi_taskflow_core.records import Attempt, LogEntry, Progress, TaskRecord, TaskStatus

from . import formats
from .marks import MARKED, Mark, Said, said
from .scales import Stretch, Tick

_BRIEF = 2
"""A bar of fewer percent has an edge, to be seen on a small screen, and no room for usual marks."""
_ROOMY = 12
"""A pause of so many percent has room for its length."""
_ALL, _FIRST, _LAST = 20, 3, 10
"""Up to so many attempts are shown at once; of more, the first and the last."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of time: ``wait``, ``gap``, ``next`` or how an attempt ended; places in percent."""

    kind: str
    x: float
    width: float
    length: str
    words: str

    @property
    def end(self) -> float:
        """Where it ends."""
        return round(self.x + self.width, 2)

    @property
    def brief(self) -> bool:
        """Whether it might be too small to be seen, or marked."""
        return self.width < _BRIEF

    @property
    def middle(self) -> float | None:
        """Where its length can be written, if it has room for that."""
        return round(self.x + self.width / 2, 2) if self.width >= _ROOMY else None


@dataclass(frozen=True, slots=True)
class Step:
    """How far an attempt was at some time, and what to say of that."""

    x: float
    time: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """One attempt with the time before it; ``run`` is None for one that is still to come."""

    name: str
    before: Bar
    run: Bar | None
    attempt: Attempt | None
    marks: Sequence[Mark]
    log: str
    steps: Sequence[Step] = ()
    """What it said about its progress."""

    @property
    def far(self) -> str:
        """How far it came."""
        return self.steps[-1].words if self.steps else formats.MISSING

    @property
    def words(self) -> str:
        """What is drawn, in words."""
        before = [self.before.words] if self.before.width else []
        return ", ".join([*before, self.run.words] if self.run else before)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The drawing, in three parts: of many attempts those in the middle are folded away."""

    first: Sequence[Line]
    folded: Sequence[Line]
    last: Sequence[Line]
    took: str
    grows: bool
    cut: bool
    """Whether there may be more lines in the log than were looked at."""
    ticks: Sequence[Tick]

    @property
    def lines(self) -> Sequence[Line]:
        """All attempts."""
        return [*self.first, *self.folded, *self.last]


def waterfall(task: TaskRecord, now: datetime, log: Sequence[LogEntry] = ()) -> Waterfall | None:
    """The attempts of a task from its creation to its end, or to *now*; None without any.

    Lines of its log are marks on them.
    """
    if not task.attempts:
        return None
    present = task.end_time or now
    waits_for = task.run_at if task.status is TaskStatus.PENDING else None
    axis = Stretch(task.created_at, max(present, waits_for or present))
    lines = _lines(task, axis, present, said(log, axis))
    if waits_for is not None:
        ahead = _bar("next", axis, _ended(task, present), axis.end)
        lines.append(Line(f"{len(lines) + 1}", ahead, None, None, (), formats.MISSING))
    first, last = (_FIRST, _LAST) if len(lines) > _ALL else (len(lines), 0)
    rest = len(lines) - last
    return Waterfall(
        lines[:first],
        lines[first:rest],
        lines[rest:],
        formats.duration((present - task.created_at).total_seconds()),
        grows=task.status is TaskStatus.RUNNING,
        cut=len(log) >= MARKED,
        ticks=axis.ticks(),
    )


def _lines(
    task: TaskRecord, axis: Stretch, present: datetime, log: Mapping[int, Said]
) -> list[Line]:
    lines: list[Line] = []
    before = task.created_at
    for attempt in task.attempts:
        last = len(lines) == len(task.attempts) - 1
        ended = attempt.ended_at or present
        run = _bar(_outcome(attempt, task, last=last), axis, attempt.started_at, ended)
        told = log.get(attempt.number, Said())
        lines.append(
            Line(
                f"{attempt.number + 1}",
                _bar("gap" if lines else "wait", axis, before, attempt.started_at),
                run,
                attempt,
                [mark for mark in told.marks if mark.grave or not run.brief],
                told.words,
                _steps(task.progress, attempt, axis),
            )
        )
        before = ended
    return lines


def _steps(progress: Progress | None, attempt: Attempt, axis: Stretch) -> list[Step]:
    if progress is None:
        return []
    total = "" if progress.total is None else f" of {formats.number(progress.total)}"
    return [
        Step(axis.percent(mark.time), mark.time, f"{formats.number(mark.done)}{total}")
        for mark in progress.marks
        if mark.attempt == attempt.number
    ]


def _ended(task: TaskRecord, present: datetime) -> datetime:
    """When the latest attempt ended."""
    return task.attempts[-1].ended_at or present


def _bar(kind: str, axis: Stretch, since: datetime, until: datetime) -> Bar:
    x, end = axis.percent(since), axis.percent(until)
    length = formats.duration(max(0.0, (until - since).total_seconds()))
    words = f"{_WORDS.get(kind, kind)} {length}"
    return Bar(kind, x, round(max(0.0, end - x), 2), length, words)


_WORDS = {
    "wait": "waited",
    "gap": "paused",
    "next": "next attempt after",
    "success": "succeeded after",
    "failed": "failed after",
    "running": "has run for",
    "cancelled": "cancelled after",
    "interrupted": "interrupted after",
}


def _outcome(attempt: Attempt, task: TaskRecord, *, last: bool) -> str:
    if attempt.ended_at is None and task.end_time is None and last:
        return "running"
    if last and task.status.finished:
        return task.status.value
    return "failed" if attempt.error else "interrupted"
