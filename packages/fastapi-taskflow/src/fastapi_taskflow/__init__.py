"""Retries, persistence and visibility for FastAPI's background tasks, in your own process.

This package does nothing itself: it brings the parts together under one name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from fastapi_taskflow_core import (
    AbortTask,
    Attempt,
    AttemptTimeout,
    BackendError,
    BackendMisconfigured,
    BackendUnavailable,
    CommitTimeout,
    FileLogger,
    FunctionUnknown,
    Health,
    InMemoryLogger,
    LifecycleEvent,
    LogEntry,
    LogEvent,
    LoggingBridge,
    ManagedBackgroundTasks,
    MissingExtra,
    NotStarted,
    PayloadError,
    Progress,
    QueueConfig,
    QueueFullError,
    QueueStats,
    RemoteError,
    RetryTask,
    ScheduleNotFound,
    SchemaTooNew,
    StdoutLogger,
    TaskArgumentError,
    TaskCancelled,
    TaskContext,
    TaskflowError,
    TaskManager,
    TaskNotFound,
    TaskObserver,
    TaskRecord,
    TaskStateError,
    TaskStatus,
    WorkerDied,
    __version__,
    get_task_context,
    register_backend,
    task_log,
    task_progress,
)

if TYPE_CHECKING:
    from fastapi_taskflow_admin import TaskAdmin, TaskAuthBackend, TaskUser, hash_password
else:
    # Imported when asked for: whatever only adds tasks has no use for an HTTP API and its login.
    _ADMIN = ("TaskAdmin", "TaskAuthBackend", "TaskUser", "hash_password")

    def __getattr__(name: str) -> object:
        if name not in _ADMIN:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module("fastapi_taskflow_admin"), name)

    def __dir__() -> list[str]:
        return [*globals(), *_ADMIN]


__all__ = [
    "AbortTask",
    "Attempt",
    "AttemptTimeout",
    "BackendError",
    "BackendMisconfigured",
    "BackendUnavailable",
    "CommitTimeout",
    "FileLogger",
    "FunctionUnknown",
    "Health",
    "InMemoryLogger",
    "LifecycleEvent",
    "LogEntry",
    "LogEvent",
    "LoggingBridge",
    "ManagedBackgroundTasks",
    "MissingExtra",
    "NotStarted",
    "PayloadError",
    "Progress",
    "QueueConfig",
    "QueueFullError",
    "QueueStats",
    "RemoteError",
    "RetryTask",
    "ScheduleNotFound",
    "SchemaTooNew",
    "StdoutLogger",
    "TaskAdmin",
    "TaskArgumentError",
    "TaskAuthBackend",
    "TaskCancelled",
    "TaskContext",
    "TaskManager",
    "TaskNotFound",
    "TaskObserver",
    "TaskRecord",
    "TaskStateError",
    "TaskStatus",
    "TaskUser",
    "TaskflowError",
    "WorkerDied",
    "__version__",
    "get_task_context",
    "hash_password",
    "register_backend",
    "task_log",
    "task_progress",
]
