"""What the API answers, described for OpenAPI. Times carry an offset, durations are seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fastapi_taskflow_core import metrics, records
from fastapi_taskflow_core.backends.base import InstanceInfo
from fastapi_taskflow_core.backends.scheduling import SlotOutcome
from fastapi_taskflow_core.health import Health
from fastapi_taskflow_core.records import ExecutorKind, LogLevel, Source, TaskStatus
from fastapi_taskflow_core.sealing import hidden

from .query import StrictFilter

MOST_IDS = 1_000
MOST_EXPECTED = 10_000


class Answer(BaseModel):
    """Read from the attributes of what the core returns."""

    model_config = ConfigDict(from_attributes=True)


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str = Field(description="What is wrong, in words.")


def problem(status: int, description: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of a refusal."""
    return {status: {"model": Problem, "description": description}}


UNREADABLE = problem(400, "The body cannot be read.")


class LogLine(Answer):
    """One line that a task logged."""

    seq: int = Field(description="Counts from 1 within the task; use it as `after`.")
    time: datetime
    attempt: int = Field(description="The attempt it was logged in, from 0.")
    level: LogLevel
    message: str
    extra: dict[str, Any] | None = Field(description="The structured fields of the line.")

    @classmethod
    def of(cls, entry: records.LogEntry) -> LogLine:
        """The line for *entry*; values that JSON does not know are shown as text."""
        extra = json.loads(json.dumps(entry.extra, default=str, skipkeys=True))
        return cls(**{**asdict(entry), "extra": extra})


class AttemptOut(Answer):
    """One execution of the task's function."""

    number: int = Field(description="Counts from 0.")
    started_at: datetime
    ended_at: datetime | None
    duration: float | None = Field(description="Seconds; null while it runs.")
    error: str | None = Field(description="Null on success.")


class ProgressOut(Answer):
    """What the task said last about its progress."""

    done: float
    total: float | None
    message: str | None


class TaskSummary(Answer):
    """A task as lists show it."""

    task_id: str
    func_name: str
    status: TaskStatus
    created_at: datetime
    start_time: datetime | None = Field(description="When the latest attempt began.")
    end_time: datetime | None = Field(description="When the latest attempt ended.")
    duration: float | None = Field(description="Seconds the latest attempt ran.")
    retries_used: int = Field(description="Further attempts made after the first one failed.")
    error: str | None
    tags: dict[str, str] | None
    source: Source
    priority: int | None
    executor: ExecutorKind
    queue: str
    idempotency_key: str | None
    run_at: datetime | None = Field(description="Not before this time: a delay or a retry.")
    attempts: list[AttemptOut] = Field(description="Every attempt, the latest one last.")
    progress: ProgressOut | None
    result: Annotated[str | None, AfterValidator(hidden)]
    retry_of: str | None = Field(description="The task this one runs again.")
    args: dict[str, str] | None = Field(
        default=None, description="The arguments by name, where the application shows them."
    )

    def showing(self, arguments: Mapping[str, str] | None) -> TaskSummary:
        """The same task with its arguments."""
        return self.model_copy(update={"args": arguments})


class TaskDetail(TaskSummary):
    """A task with everything recorded about it."""

    stacktrace: str | None
    logs: list[LogLine] = Field(description="The first 1,000 lines; `/logs` has all.")

    @classmethod
    def of(cls, task: records.TaskRecord, arguments: Mapping[str, str] | None) -> TaskDetail:
        """The detail of *task*, logs included."""
        summary = TaskSummary.model_validate(task).showing(arguments)
        logs = [LogLine.of(entry) for entry in task.logs]
        return cls(**summary.model_dump(), stacktrace=task.stacktrace, logs=logs)


class DurationsOut(Answer):
    """Run times in seconds of tasks that succeeded or failed; null when there are none."""

    avg: float | None
    min: float | None
    max: float | None
    p50: float | None = Field(description="Within 5 %, as all percentiles.")
    p95: float | None
    p99: float | None


class FiguresOut(BaseModel):
    """Sums over a set of tasks."""

    total: int
    pending: int
    running: int
    success: int
    failed: int
    interrupted: int
    cancelled: int
    rejected: int
    success_rate: float = Field(description="Succeeded of finished, 0 to 1; 0.0 when none.")
    durations: DurationsOut


class MetricsOut(FiguresOut):
    """The sums over all tasks of all time, and by function."""

    functions: dict[str, FiguresOut]

    @classmethod
    def of(cls, found: metrics.Metrics) -> MetricsOut:
        """The answer for *found*."""
        functions = {name: _figures(each) for name, each in found.functions.items()}
        return cls.model_validate({**_figures(found.overall), "functions": functions})


def _figures(figures: metrics.Figures) -> dict[str, object]:
    counts = {status.value: n for status, n in figures.counts.items()}
    return {
        "total": figures.total,
        **counts,
        "success_rate": figures.success_rate,
        "durations": asdict(figures.durations),
    }


class SeriesBucketOut(Answer):
    """What happened in one step; times in seconds, null without tasks."""

    start: datetime
    started: int
    succeeded: int
    failed: int
    retried: int
    p50: float | None
    p95: float | None
    p99: float | None
    wait_p95: float | None = Field(description="How long tasks waited before they started.")


class SeriesOut(BaseModel):
    """A chart's data, oldest step first, steps without tasks included."""

    since: datetime
    until: datetime
    step: float = Field(description="Seconds of one step.")
    buckets: list[SeriesBucketOut]

    @classmethod
    def of(cls, found: metrics.Series) -> SeriesOut:
        """The answer for *found*."""
        return cls(
            since=found.window.since,
            until=found.window.until,
            step=found.window.step.total_seconds(),
            buckets=[SeriesBucketOut.model_validate(each) for each in found.buckets],
        )


class HealthOut(Answer):
    """The state of the storage as this instance sees it."""

    state: Literal["up", "degraded", "down"]
    ok: bool = Field(description="Whether persisted tasks are accepted.")
    journal_lag: float = Field(description="Seconds the oldest unwritten change has waited.")
    buffered: int = Field(description="Changes not written yet.")
    dropped: int = Field(description="History records given up for lack of room.")
    last_error: str | None
    since: datetime | None = Field(description="When this state began.")

    @classmethod
    def of(cls, health: Health) -> HealthOut:
        """The answer for *health*."""
        return cls.model_validate(health)


class InstanceOut(Answer):
    """One process that runs tasks."""

    instance: str
    host: str
    pid: int
    version: str
    started_at: datetime
    beat_age: float = Field(description="Seconds since its last sign of life.")
    living: bool
    running: int
    waiting: int
    loop_lag: float = Field(description="Seconds its event loop was last late.")
    draining: bool
    lease: float = Field(description="Seconds without a sign of life after which it is dead.")

    @classmethod
    def all(cls, infos: Sequence[InstanceInfo]) -> list[InstanceOut]:
        """The answer for *infos*."""
        return [cls.model_validate(info) for info in infos]


class Retried(BaseModel):
    """A task that runs again."""

    task_id: str = Field(description="The new task.")
    retry_of: str = Field(description="The original, which stays as it is.")


class BulkRequest(BaseModel):
    """Either the tasks by id, or a filter with the number of tasks it is expected to match."""

    model_config = ConfigDict(extra="forbid")

    task_ids: list[str] | None = Field(default=None, min_length=1, max_length=MOST_IDS)
    filter: StrictFilter | None = None
    expected: int | None = Field(
        default=None, ge=0, le=MOST_EXPECTED, description="How many tasks the filter is to match."
    )


class BulkItem(BaseModel):
    """What became of one task of a bulk change."""

    task_id: str
    dispatched: bool
    new_task_id: str | None = Field(default=None, description="The task that runs it again.")
    reason: str | None = Field(default=None, description="Why it was skipped.")


class BulkResult(BaseModel):
    """What became of a bulk change."""

    dispatched: int
    skipped: int
    results: list[BulkItem]

    @classmethod
    def of(cls, results: Sequence[BulkItem]) -> BulkResult:
        """The answer that counts *results*."""
        dispatched = sum(item.dispatched for item in results)
        return cls(dispatched=dispatched, skipped=len(results) - dispatched, results=list(results))


class TaskCount(BaseModel):
    """How many tasks a filter matches."""

    count: int
    more: bool = Field(description="Whether there are more: counting ends at 10,000.")


class Deleted(BaseModel):
    """How much history was removed."""

    deleted: int


class SlotOut(Answer):
    """A moment at which a schedule was due."""

    at: datetime
    outcome: SlotOutcome
    task_id: str | None = Field(description="The task that was made; only if it fired.")


class ScheduleOut(Answer):
    """A schedule of the process that answers."""

    name: str
    words: str = Field(description="When it runs, in English.")
    expression: str = Field(description="When it runs, as it was written.")
    timezone: str
    paused: bool
    next: list[datetime] = Field(description="The next five slots, the soonest first.")
    last: list[SlotOut] = Field(description="The slots settled last, the newest first.")


class ScheduleRunOut(BaseModel):
    """The task of a schedule that was run by hand."""

    task_id: str


class QueueOut(Answer):
    """A queue of the process that answers."""

    name: str
    concurrency: int | None = Field(description="How many of its tasks run at once.")
    max_size: int | None = Field(description="How many may wait; one more is rejected.")
    paused: bool
    running: int
    waiting: int
    rejected: int = Field(description="Tasks that found it full since the process started.")


class QueueChange(BaseModel):
    """New limits of a queue; null is no limit, and what is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    concurrency: int | None = Field(default=None, ge=1, le=1_000_000)
    max_size: int | None = Field(default=None, ge=0, le=1_000_000_000)


class AuditOut(Answer):
    """Something that somebody did, or tried to."""

    entry_id: str
    at: datetime
    actor: str = Field(description="Who; empty where nobody is known.")
    address: str = Field(description="Where from.")
    action: str
    target: str = Field(description="To what: ids, a filter, a name.")
    result: str = Field(description="`ok` with figures, or why not.")
