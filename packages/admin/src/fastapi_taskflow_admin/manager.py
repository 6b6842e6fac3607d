"""What the admin asks of a task manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from fastapi import FastAPI

from fastapi_taskflow_core.backends.audit import AuditStore
from fastapi_taskflow_core.backends.settings import SettingStore
from fastapi_taskflow_core.engine.feed import Feed
from fastapi_taskflow_core.engine.queues import QueueStats
from fastapi_taskflow_core.health import Health
from fastapi_taskflow_core.options import TaskOptions
from fastapi_taskflow_core.records import TaskRecord

if TYPE_CHECKING:
    from fastapi_taskflow_core.history import History
    from fastapi_taskflow_core.schedules import Scheduler


class Manager(Protocol):
    """The part of ``TaskManager`` that the admin uses."""

    @property
    def history(self) -> History:
        """Everything that was and is."""

    @property
    def settings(self) -> SettingStore:
        """Small texts that all instances share."""

    @property
    def audit(self) -> AuditStore:
        """The audit trail."""

    async def retry(self, task_id: str) -> str:
        """Run a task again as a new one, whose id is returned.

        Raises:
            TaskNotFound: no task has this id.
            TaskStateError: it has not failed, or has not finished.
            FunctionUnknown: this process does not know its function.
            PayloadError: its arguments cannot be read, as without the key they are encrypted with.
            QueueFullError: its queue has no room.
        """

    async def cancel(self, task_id: str) -> TaskRecord:
        """Cancel an unfinished task and return it as it then stands.

        Raises:
            TaskNotFound: no task has this id.
            TaskStateError: it is finished.
        """

    def queue_stats(self) -> Mapping[str, QueueStats]:
        """The queues of this process by name."""

    def options_of(self, name: str) -> TaskOptions | None:
        """How the function of this name runs; None where this process does not know it."""

    def update_queue_config(
        self, name: str, *, concurrency: int | None = ..., max_size: int | None = ...
    ) -> None:
        """Change the limits of a queue; what is left out stays.

        Raises:
            LookupError: there is no such queue.
        """

    def pause_queue(self, name: str) -> None:
        """Let nothing more of a queue begin."""

    def resume_queue(self, name: str) -> None:
        """Let its tasks begin again."""

    @property
    def schedules(self) -> Scheduler:
        """The schedules of this process.

        Raises:
            MissingExtra: the scheduler is not installed.
        """

    @property
    def feed(self) -> Feed:
        """What happens to the tasks of this process."""

    @property
    def stopping(self) -> bool:
        """Whether this process is told to stop."""

    def health(self) -> Health:
        """How the storage is doing."""

    def arguments(self, record: TaskRecord) -> Mapping[str, str] | None:
        """The arguments for display by name; None when they are not known."""

    def keep_arguments(self) -> None:
        """Store the arguments of every task that can be stored, so that they can be shown."""

    def keep_history(self, days: float) -> None:
        """Remove finished tasks that are older than that, from now on."""

    def install(self, app: FastAPI) -> object:
        """Let every task list of *app* be ours, and start and stop with it."""

    def init_app(self, app: FastAPI) -> object:
        """Start and stop with *app*."""
