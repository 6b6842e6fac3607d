"""Every exception of the package.

::

    TaskflowError
    |-- TaskArgumentError (TypeError)        an argument that cannot be stored
    |-- TaskNotFound (LookupError)           no task has this id
    |-- FunctionUnknown (LookupError)        no function is registered under this name
    |-- ScheduleNotFound (LookupError)       no schedule has this name in this process
    |-- NotStarted (RuntimeError)            only a manager that is started does this
    |-- TaskStateError (ValueError)          the task's status does not allow this
    |-- IllegalTransition (RuntimeError)     a bug of ours: an event in a wrong status
    |-- QueueFullError (RuntimeError)        a bounded queue has no room
    |-- PayloadError (ValueError)            stored arguments cannot be read back
    |-- MissingExtra (ImportError)           an optional distribution is not installed
    `-- BackendError (RuntimeError)
        |-- BackendUnavailable               may work later: locked, cut off, full
        |   `-- CommitTimeout (TimeoutError) not durable in time
        `-- BackendMisconfigured             will not work until someone changes it
            `-- SchemaTooNew                 written by a newer version

``RetryTask``, ``AbortTask`` and ``TaskCancelled`` are not failures of ours: a task raises them
to say what should happen next.
"""

from __future__ import annotations


class TaskflowError(Exception):
    """Base of all errors raised by this package."""


class TaskArgumentError(TaskflowError, TypeError):
    """An argument that must be stored and cannot be.

    ``path`` names it the way Python would write it: ``order.lines[3].price``.
    """

    def __init__(self, path: str, value: object, hint: str) -> None:
        self.path = path
        self.kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        super().__init__(f"argument {path!r} of type {self.kind} cannot be stored: {hint}")


class TaskNotFound(TaskflowError, LookupError):
    """No task has this id."""

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(f"no task {task_id!r}")


class FunctionUnknown(TaskflowError, LookupError):
    """The task's function is not registered in this process."""

    def __init__(self, func_name: str) -> None:
        self.func_name = func_name
        super().__init__(
            f"no function is registered under {func_name!r} in this process:"
            " is the module that defines it imported?"
        )


class ScheduleNotFound(TaskflowError, LookupError):
    """No schedule has this name in this process."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no schedule {name!r} in this process")


class NotStarted(TaskflowError, RuntimeError):
    """Only a manager that is started does this."""

    def __init__(self, action: str) -> None:
        self.action = action
        super().__init__(f"{action} needs a manager that is started: await manager.startup()")


class TaskStateError(TaskflowError, ValueError):
    """What was asked of the task is not possible in its status."""

    def __init__(self, task_id: str, status: str, action: str) -> None:
        self.task_id, self.status, self.action = task_id, status, action
        super().__init__(f"cannot {action} task {task_id}: it is {status}")


class IllegalTransition(TaskflowError, RuntimeError):
    """An event that must not happen to a task in its status."""

    def __init__(self, task_id: str, status: str, event: str) -> None:
        self.task_id, self.status, self.event = task_id, status, event
        super().__init__(f"task {task_id} is {status}: it cannot {event}")


class QueueFullError(TaskflowError, RuntimeError):
    """A bounded queue has no room; the task was recorded as REJECTED."""

    def __init__(self, queue: str, task_id: str) -> None:
        self.queue, self.task_id = queue, task_id
        super().__init__(f"queue {queue!r} is full: task {task_id} was rejected")


class PayloadError(TaskflowError, ValueError):
    """Stored arguments cannot be read back."""


class MissingExtra(TaskflowError, ImportError):
    """A part that is installed separately is not there."""

    def __init__(self, what: str, extra: str, *, distribution: str | None = None) -> None:
        self.extra = extra
        install = distribution or f'"fastapi-taskflow[{extra}]"'
        super().__init__(f"{what} is not installed: pip install {install}", name=extra)


class BackendError(TaskflowError, RuntimeError):
    """The storage behind the tasks refused or failed."""


class BackendUnavailable(BackendError):
    """The storage cannot be used now; the same call may work later."""


class CommitTimeout(BackendUnavailable, TimeoutError):
    """The storage did not confirm in time; nothing was promised."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"the task storage did not confirm within {seconds:g} s")


class BackendMisconfigured(BackendError):
    """The storage will not work until its configuration is changed."""


class SchemaTooNew(BackendMisconfigured):
    """The stored data was written by a newer version of this package."""

    def __init__(self, where: str, found: int, known: int) -> None:
        self.where, self.found, self.known = where, found, known
        super().__init__(
            f"{where} has schema version {found}, this version knows up to {known}:"
            " upgrade fastapi-taskflow; nothing was changed"
        )


class RetryTask(Exception):
    """Raised by a task: try again after *after* seconds (None: the task's own delay)."""

    def __init__(self, after: float | None = None) -> None:
        if after is not None and not after >= 0:
            raise ValueError(f"RetryTask(after=) must be 0 or more seconds, got {after!r}")
        self.after = after
        super().__init__("retry requested" if after is None else f"retry requested in {after:g} s")

    def __reduce__(self) -> tuple[type[RetryTask], tuple[float | None]]:
        return RetryTask, (self.after,)


class AbortTask(Exception):
    """Raised by a task: it has failed, further attempts are pointless."""

    def __init__(self, reason: str = "aborted") -> None:
        self.reason = reason
        super().__init__(reason)


class TaskCancelled(Exception):
    """Raised by ``TaskContext.raise_if_cancelled`` when the task's end is wanted."""

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(f"task {task_id} was asked to end")

    def __reduce__(self) -> tuple[type[TaskCancelled], tuple[str]]:
        return TaskCancelled, (self.task_id,)


class WorkerDied(RuntimeError):
    """The error of an attempt whose process ended before it did."""

    def __init__(self, exitcode: int | None) -> None:
        self.exitcode = exitcode
        how = "" if exitcode is None else f" (exit code {exitcode})"
        if exitcode is not None and exitcode < 0:
            how = f" (signal {-exitcode})"
        super().__init__(f"the worker process died while this task ran{how}")


class RemoteTraceback(Exception):
    """The traceback of another process, as text: the cause of the error it came with."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


class RemoteError(RuntimeError):
    """Stands for an exception of a worker process that could not be sent back."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind, self.message = kind, message
        super().__init__(kind, message)

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


class AttemptTimeout(TimeoutError):
    """The error of an attempt that took longer than the task's ``timeout``."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"the attempt took longer than {seconds:g} s")
