"""A manager without an engine: it holds tasks and does at once what it is asked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI

from fastapi_taskflow_core.backends.audit import AuditEntry, AuditQuery
from fastapi_taskflow_core.backends.base import Batch
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.backends.scheduling import Later, Slot, SlotOutcome, Turn
from fastapi_taskflow_core.backends.settings import Setting, SettingChange
from fastapi_taskflow_core.engine.feed import Feed
from fastapi_taskflow_core.engine.queues import QueueStats
from fastapi_taskflow_core.engine.turns import Turns
from fastapi_taskflow_core.errors import (
    BackendUnavailable,
    FunctionUnknown,
    PayloadError,
    QueueFullError,
    ScheduleNotFound,
    TaskStateError,
)
from fastapi_taskflow_core.health import Health
from fastapi_taskflow_core.history import History
from fastapi_taskflow_core.options import QueueConfig, TaskOptions
from fastapi_taskflow_core.records import RETRYABLE, LogEntry, TaskRecord, TaskStatus
from fastapi_taskflow_core.retry import RetryPolicy
from fastapi_taskflow_core.schedules import ScheduleInfo, ScheduleOptions
from fastapi_taskflow_core.surroundings import SystemClock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class StoppedClock(SystemClock):
    """It is noon until somebody turns it on."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        """Noon, or later."""
        return self.time

    def turn(self, **by: float) -> None:
        """Let time pass: ``seconds=``, ``minutes=``."""
        self.time += timedelta(**by)


class Cuttable(MemoryBackend):
    """A backend whose settings and audit trail can be out of reach."""

    away = False

    async def change_setting(self, change: SettingChange) -> bool:
        self._ask()
        return await super().change_setting(change)

    async def settings(self, prefix: str = "") -> Mapping[str, Setting]:
        self._ask()
        return await super().settings(prefix)

    async def note(self, entry: AuditEntry) -> None:
        self._ask()
        await super().note(entry)

    async def audit(self, query: AuditQuery) -> Sequence[AuditEntry]:
        self._ask()
        return await super().audit(query)

    def _ask(self) -> None:
        if self.away:
            raise BackendUnavailable("cut off")


UP = Health("up", 0.0, 0, 0, None, None)


class FakeSchedules:
    """One schedule, which can be paused and run."""

    def __init__(self) -> None:
        self.waiting: list[Later] = []
        self.report = ScheduleInfo(
            name="report",
            words="every hour",
            expression="every=3600",
            timezone="UTC",
            paused=False,
            next=[NOON + timedelta(hours=1)],
            last=[Slot("report", NOON, SlotOutcome.FIRED, "task-0001")],
            options=ScheduleOptions(every=3600),
        )

    async def list(self, history: int = 20) -> Sequence[ScheduleInfo]:
        return [self.report]

    async def get(self, name: str, history: int = 20) -> ScheduleInfo:
        if name != "report":
            raise ScheduleNotFound(name)
        return self.report

    async def pause(self, name: str) -> None:
        self.report = replace(await self.get(name), paused=True)

    async def resume(self, name: str) -> None:
        self.report = replace(await self.get(name), paused=False)

    async def run(self, name: str) -> str:
        await self.get(name)
        return "task-0002"

    async def later(
        self, before: datetime | None = None, limit: int = 200, after: Turn | None = None
    ) -> Sequence[Later]:
        waiting = [it for it in self.waiting if after is None or Turn.of(it.task) > after]
        return waiting[:limit]


class FakeManager:
    """What ``TaskAdmin`` asks of a manager."""

    def __init__(self) -> None:
        self.clock = StoppedClock()
        self.backend = Cuttable(clock=self.clock)
        self.settings = self.audit = self.backend
        self.trouble: Exception | None = None
        self.known = {"send", "pay"}
        self.full: set[str] = set()
        self.sealed: set[str] = set()
        self.arranged: list[tuple[str, object]] = []
        self.state = UP
        self.feed = Feed()
        self.stopping = False
        self.turns = Turns({"mail": QueueConfig(concurrency=3, max_size=9)}, {})
        self.plan = FakeSchedules()
        self.history = History(self.backend, self.backend, self.flush, self.clock)

    async def flush(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    async def hold(self, *tasks: TaskRecord) -> None:
        await self.backend.write(Batch("here", inserts=tasks))

    async def log(self, task_id: str, *entries: LogEntry) -> None:
        await self.backend.write(Batch("here", logs=[(task_id, entry) for entry in entries]))

    async def entries(self) -> Sequence[AuditEntry]:
        """The audit trail, newest first."""
        return await self.backend.audit(AuditQuery(limit=1_000))

    async def retry(self, task_id: str) -> str:
        task = await self.history.get(task_id)
        if task.status not in RETRYABLE:
            raise TaskStateError(task_id, task.status, "retry")
        if task.func_name not in self.known:
            raise FunctionUnknown(task.func_name)
        if task.func_name in self.sealed:
            raise PayloadError("cannot decrypt: no configured key fits")
        if task.queue in self.full:
            raise QueueFullError(task.queue, f"{task_id}-again")
        new = TaskRecord(f"{task_id}-again", task.func_name, NOON, retry_of=task_id)
        await self.hold(new)
        return new.task_id

    async def cancel(self, task_id: str) -> TaskRecord:
        task = await self.history.get(task_id)
        if task.status.finished:
            raise TaskStateError(task_id, task.status, "cancel")
        cancelled = await self.backend.request_cancel(task_id, NOON)
        assert cancelled is not None
        return cancelled

    def queue_stats(self) -> Mapping[str, QueueStats]:
        return self.turns.stats()

    def options_of(self, name: str) -> TaskOptions | None:
        return TaskOptions(retry=RetryPolicy(retries=3)) if name in self.known else None

    def update_queue_config(self, name: str, **limits: int | None) -> None:
        queue = self.turns.queue(name)
        queue.configure(replace(queue.config, **limits), paused=queue.stats().paused)

    def pause_queue(self, name: str) -> None:
        queue = self.turns.queue(name)
        queue.configure(queue.config, paused=True)

    def resume_queue(self, name: str) -> None:
        queue = self.turns.queue(name)
        queue.configure(queue.config, paused=False)

    @property
    def schedules(self) -> FakeSchedules:
        if self.trouble is not None:
            raise self.trouble
        return self.plan

    def health(self) -> Health:
        return self.state

    def arguments(self, record: TaskRecord) -> Mapping[str, str] | None:
        return {"address": "'ann@example.org'", "subject": repr(record.task_id)}

    def keep_arguments(self) -> None:
        self.arranged.append(("keep_arguments", None))

    def keep_history(self, days: float) -> None:
        self.arranged.append(("keep_history", days))

    def install(self, app: FastAPI) -> None:
        self.arranged.append(("install", app))

    def init_app(self, app: FastAPI) -> None:
        self.arranged.append(("init_app", app))


def task(
    number: int,
    status: TaskStatus = TaskStatus.SUCCESS,
    *,
    func_name: str = "send",
    error: str | None = None,
    **fields: object,
) -> TaskRecord:
    """A task made *number* minutes before noon, which ran for a second unless unfinished."""
    made = NOON - timedelta(minutes=number)
    began = None if status in (TaskStatus.PENDING, TaskStatus.REJECTED) else made
    ended = None if not status.finished else made + timedelta(seconds=1)
    record = TaskRecord(f"task-{number:04}", func_name, made, status, began, ended, error=error)
    return replace(record, **fields)  # type: ignore[arg-type]
