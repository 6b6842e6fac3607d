"""The core of fastapi-taskflow: FastAPI background tasks that are retried, kept and seen."""

from __future__ import annotations

from .__about__ import __version__
from .background import ManagedBackgroundTasks
from .context import TaskContext, get_task_context, task_log, task_progress
from .engine.queues import QueueStats
from .errors import (
    AbortTask,
    AttemptTimeout,
    BackendError,
    BackendMisconfigured,
    BackendUnavailable,
    CommitTimeout,
    FunctionUnknown,
    IllegalTransition,
    MissingExtra,
    NotStarted,
    PayloadError,
    QueueFullError,
    RemoteError,
    RetryTask,
    ScheduleNotFound,
    SchemaTooNew,
    TaskArgumentError,
    TaskCancelled,
    TaskflowError,
    TaskNotFound,
    TaskStateError,
    WorkerDied,
)
from .health import Health
from .manager import TaskManager
from .observers import (
    FileLogger,
    InMemoryLogger,
    LifecycleEvent,
    LogEvent,
    LoggingBridge,
    StdoutLogger,
    TaskObserver,
)
from .options import QueueConfig
from .plugins import register_backend
from .records import Attempt, LogEntry, Progress, TaskRecord, TaskStatus

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
    "IllegalTransition",
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
    "TaskArgumentError",
    "TaskCancelled",
    "TaskContext",
    "TaskManager",
    "TaskNotFound",
    "TaskObserver",
    "TaskRecord",
    "TaskStateError",
    "TaskStatus",
    "TaskflowError",
    "WorkerDied",
    "__version__",
    "get_task_context",
    "register_backend",
    "task_log",
    "task_progress",
]
