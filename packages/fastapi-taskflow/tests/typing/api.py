"""Every public name as an application uses it; checked by mypy in strict mode, never run.

A line with ``type: ignore[...]`` is a mistake that must be found: where mypy finds nothing
to ignore, that is an error of its own.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, assert_type

from fastapi import BackgroundTasks, Depends, FastAPI

import fastapi_taskflow
from fastapi_taskflow import (
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
    TaskAdmin,
    TaskArgumentError,
    TaskAuthBackend,
    TaskCancelled,
    TaskContext,
    TaskflowError,
    TaskManager,
    TaskNotFound,
    TaskObserver,
    TaskRecord,
    TaskStateError,
    TaskStatus,
    TaskUser,
    WorkerDied,
    __version__,
    backends,
    get_task_context,
    hash_password,
    register_backend,
    task_log,
    task_progress,
)
from fastapi_taskflow.backends import (
    MemoryBackend,
    MySQLBackend,
    PostgresBackend,
    RedisBackend,
    SqliteBackend,
)

assert_type(__version__, str)
assert_type(fastapi_taskflow.Unknown, Any)  # type: ignore[attr-defined]
assert_type(backends.UnknownBackend, Any)  # type: ignore[attr-defined]


class Alarm(TaskObserver):
    async def on_log(self, event: LogEvent) -> None:
        assert_type(event.extra, Mapping[str, Any] | None)

    async def on_lifecycle(self, event: LifecycleEvent) -> None:
        if event.status is TaskStatus.FAILED:
            assert_type(event.error, str | None)


task_manager = TaskManager(
    snapshot_db="tasks.db",
    snapshot_interval=30,
    queues={"email": QueueConfig(concurrency=30, max_size=500)},
    loggers=[Alarm(), FileLogger("tasks.log"), StdoutLogger(), InMemoryLogger(), LoggingBridge()],
    log_file_mode="watched",
)
TaskManager(snapshot_backend=SqliteBackend("tasks.db", busy_timeout=1.0))
TaskManager(snapshot_backend=PostgresBackend("postgresql://localhost/app", schema="tasks"))
TaskManager(snapshot_backend=MySQLBackend("mysql://localhost/app", pool_size=4))
TaskManager(snapshot_backend=RedisBackend("redis://localhost", prefix="shop"))
TaskManager(encrypt_args_key=[b"new", "old"])
register_backend("mine", lambda url: MemoryBackend())
TaskManager("tasks.db")  # type: ignore[call-arg]
TaskManager(snapshot_db=7)  # type: ignore[arg-type]
TaskManager(queues={"email": 30})  # type: ignore[dict-item]
TaskManager(log_file_mode="append")  # type: ignore[arg-type]
TaskManager(loggers=[print])  # type: ignore[list-item]


@task_manager.task(retries=3, delay=1, retry_on=(OSError, TimeoutError), executor="thread")
def send(address: str, copies: int = 1) -> bytes:
    context = get_task_context()
    assert_type(context, TaskContext | None)
    if context is not None and context.attempt > 1:
        raise RetryTask(after=2.5)
    task_log("sending", level="warning", copies=copies)
    task_progress(1, copies, "sending")
    task_log("sending", level="loud")  # type: ignore[arg-type]
    raise AbortTask("nobody there")


@task_manager.schedule(cron="0 2 * * *", timezone="America/New_York", overlap="skip")
async def tidy() -> int:
    return 0


# A decorated function is what it was.
assert_type(send("ada@example.org"), bytes)
send(7)  # type: ignore[arg-type]
task_manager.task(retries="3")  # type: ignore[arg-type]
task_manager.task(executor="fiber")  # type: ignore[arg-type]
task_manager.task(retry_on="OSError")  # type: ignore[arg-type]
task_manager.schedule(every=60, misfire="now")  # type: ignore[arg-type]

app = FastAPI()


class Users:
    async def authenticate_user(self, username: str, password: str) -> bool:
        return username == password


users: TaskAuthBackend = Users()
TaskAdmin(app, task_manager, auto_install=True, auth=users)
TaskAdmin(app, task_manager, auth=[("ada", hash_password("secret")), ("eve", "word", "view")])
TaskAdmin(app, task_manager, auth=lambda: TaskUser("ada", {"view", "operate"}))
TaskAdmin(app, task_manager, auth=False, retention_days=30)
TaskAdmin(app, task_manager, auth="secret")  # type: ignore[arg-type]
TaskAdmin(task_manager, app)  # type: ignore[arg-type]


@app.post("/")
def route(
    plain: BackgroundTasks,
    managed: ManagedBackgroundTasks,
    tasks: Annotated[ManagedBackgroundTasks, Depends(task_manager.get_tasks)],
    same: Annotated[ManagedBackgroundTasks, Depends(task_manager.background_tasks)],
) -> str:
    plain.add_task(send, "ada@example.org")
    same.add_task(print)
    assert_type(managed.add_task(send, "ada@example.org", priority=3), str)
    assert_type(tasks.options(tags={"order": 7}).add_task(send, "ada@example.org", copies=2), str)
    tasks.add_task("send")  # type: ignore[arg-type]
    tasks.options(priority=3).add_task(send, 7)  # type: ignore[arg-type]
    tasks.options(priority=3).add_task(send, "ada@example.org", colour="red")  # type: ignore[call-arg]
    return managed.add_task(send, "ada@example.org", idempotency_key="k")


async def elsewhere() -> None:
    task_id = await task_manager.enqueue(send, "ada@example.org", run_at=datetime.now(UTC))
    assert_type(task_id, str)
    await task_manager.enqueue("send")  # type: ignore[arg-type]
    later = await task_manager.schedule_once(tidy, run_at=datetime.now(UTC), run_key="k")
    assert_type(later, str)
    await task_manager.schedule_once(tidy, run_at="tomorrow", run_key="k")  # type: ignore[arg-type]
    assert_type(await task_manager.cancel_scheduled("k"), bool)
    record = await task_manager.wait(task_id, timeout=5)
    assert_type(record, TaskRecord)
    assert_type(record.attempts, tuple[Attempt, ...])
    assert_type(record.logs, tuple[LogEntry, ...])
    assert_type(record.progress, Progress | None)
    assert_type(record.duration, float | None)
    assert_type(await task_manager.cancel(task_id), TaskRecord)
    assert_type(await task_manager.retry(task_id), str)
    assert_type(task_manager.queue_stats(), dict[str, QueueStats])
    assert_type(task_manager.health(), Health)
    task_manager.update_queue_config("email", concurrency=None)
    task_manager.update_queue_config("email", concurrency="many")  # type: ignore[arg-type]


def told(error: Exception) -> str | float | None:
    """What errors know of what happened."""
    match error:
        case QueueFullError():
            return error.queue
        case TaskNotFound() | TaskStateError() | TaskCancelled():
            return error.task_id
        case TaskArgumentError():
            return error.path
        case FunctionUnknown():
            return error.func_name
        case CommitTimeout() | AttemptTimeout():
            return error.seconds
        case WorkerDied():
            return error.exitcode
        case SchemaTooNew() | BackendMisconfigured() | BackendUnavailable() | BackendError():
            return str(error)
        case ScheduleNotFound() | NotStarted() | PayloadError() | MissingExtra() | TaskflowError():
            return str(error)
        case RemoteError():
            return str(error)
        case _:
            return None
