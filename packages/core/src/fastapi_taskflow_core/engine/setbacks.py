"""What becomes of a task that does not get to its end here.

It may be asked for again, so what it was called with is kept; or it is given away.
"""

from __future__ import annotations

import logging

from ..arguments import ArgumentCodec
from ..lifecycle import Event
from .ledger import Ledger
from .live import LiveTask

logger = logging.getLogger(__name__)


class Setbacks:
    """Enters that tasks fail, are interrupted, find no room or are left to others."""

    def __init__(self, ledger: Ledger, codec: ArgumentCodec) -> None:
        self._ledger = ledger
        self._codec = codec

    def fail(self, task: LiveTask, error: BaseException) -> None:
        """The attempt ended with *error*, and there is no further one."""
        self._keep_arguments(task)
        self._ledger.fail(task, error)

    def interrupt(self, task: LiveTask) -> None:
        """The attempt was cut off by a stop: the task is anybody's if it may run twice."""
        if task.record.persist and task.record.requeue_on_interrupt:
            self._ledger.enter(task, Event.REQUEUE)
            self._ledger.release(task)
        else:
            self._end(task, Event.INTERRUPT, "the process stopped while this task ran")

    def give_away(self, task: LiveTask) -> None:
        """The task waits, and will not start here any more."""
        if not task.record.persist:
            self._end(task, Event.INTERRUPT, "the process stopped before this task could start")
        elif not task.busy:
            # As long as a thread still runs the attempt before, nobody else may have it.
            self._ledger.release(task)

    def reject(self, task: LiveTask) -> None:
        """The new task found its queue full."""
        self._ledger.open(task)
        self._end(task, Event.REJECT, f"queue {task.record.queue!r} was full")

    def _end(self, task: LiveTask, event: Event, error: str) -> None:
        self._keep_arguments(task)
        task.record.error = error
        self._ledger.enter(task, event)

    def _keep_arguments(self, task: LiveTask) -> None:
        record = task.record
        if record.payload is None and task.arguments is not None and not task.function.anonymous:
            args, kwargs = task.arguments
            try:
                record.payload = self._codec.encode(
                    record.task_id, record.func_name, task.function.call, args, kwargs
                )
            except TypeError as error:
                logger.debug("task %s cannot be retried by hand: %s", record.task_id, error)
