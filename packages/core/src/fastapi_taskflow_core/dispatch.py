"""The one door: whatever asks for a task, a `NewTask` becomes a record here.

`prepare` makes the task and may be called from any thread; `admit` takes it in, on the
event loop: live, journal, feed. Between the two nobody but the caller knows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from typing import Any

from .arguments import ArgumentCodec
from .engine.ledger import Ledger
from .engine.live import LiveTask
from .errors import TaskArgumentError
from .options import NO_OPTIONS, CallOptions
from .records import DEFAULT_QUEUE, Source, TaskRecord
from .registry import TaskFunction
from .surroundings import Surroundings

Arguments = tuple[tuple[Any, ...], Mapping[str, Any]]


@dataclass(slots=True, eq=False)
class NewTask:
    """What somebody wants to run."""

    function: TaskFunction
    args: tuple[Any, ...] = field(default=(), repr=False)
    kwargs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    options: CallOptions = NO_OPTIONS
    source: Source = "manual"
    persist: bool = False
    """It must be stored, whatever its function says."""
    original: TaskRecord | None = None
    """The finished task that this one repeats, with its stored arguments."""
    context: Context = field(default_factory=copy_context)


class Dispatch:
    """Makes tasks of wishes.

    Args:
        known_queue: The name of the queue that tasks for a queue of this name go to.
        persist_all: Every task survives a restart, whatever its function says.
        sealed: Arguments are encrypted by the codec, and kept in no other form.
        keep_arguments: Store the arguments of tasks that need not be stored too, where
            they can be, so that they can be shown.
    """

    def __init__(
        self,
        ledger: Ledger,
        codec: ArgumentCodec,
        surroundings: Surroundings,
        instance: str,
        known_queue: Callable[[str], str],
        *,
        persist_all: bool = False,
        sealed: bool = False,
    ) -> None:
        self.keep_arguments = False
        self.admit = ledger.open
        """The task is accepted: from now on it is live, listed, and on its way to storage."""
        self._codec = codec
        self._clock = surroundings.clock
        self._new_id = surroundings.new_id
        self._instance = instance
        self._known_queue = known_queue
        self._persist_all = persist_all
        self._sealed = sealed

    def prepare(self, new: NewTask) -> LiveTask:
        """The task, with an id, known to nobody yet.

        Raises:
            TaskArgumentError: It must be stored or encrypted, and an argument cannot be.
        """
        function, asked, said = new.function, new.options, new.function.options
        record = TaskRecord(self._new_id(), function.name, self._clock.now())
        record.owner = self._instance
        record.executor = function.executor
        record.source = new.source
        record.priority = said.priority if asked.priority is None else asked.priority
        queue = asked.queue or said.queue
        record.queue = DEFAULT_QUEUE if queue is None else self._known_queue(queue)
        record.persist = said.persist or new.persist or self._persist_all
        record.requeue_on_interrupt = said.requeue_on_interrupt
        if asked is not NO_OPTIONS:
            record.tags = dict(asked.tags) if asked.tags else None
            record.idempotency_key = asked.idempotency_key
            record.run_at = asked.run_at
        arguments: Arguments = (new.args, new.kwargs)
        if new.original is not None:
            record.retry_of, record.tags = new.original.task_id, new.original.tags
            record.queue = self._known_queue(new.original.queue)
            record.priority = new.original.priority
            arguments = self._stored(new.original, function)
        self._store(record, function, arguments)
        if self._sealed:
            return LiveTask(record, function, None, new.context)
        task = LiveTask(record, function, arguments, new.context)
        if function.executor == "process":
            # Only now: pickle takes long to import, and most applications have no use for it.
            from .executors.parcels import pack_arguments  # noqa: PLC0415

            task.parcel = pack_arguments(arguments)
        return task

    def for_anyone(self, new: NewTask) -> TaskRecord:
        """The record of a task that has no owner: whoever stores it hands it to all instances.

        Raises:
            TaskArgumentError: An argument cannot be stored.
        """
        record = self.prepare(replace(new, persist=True)).record
        record.owner = None
        return record

    def _stored(self, original: TaskRecord, function: TaskFunction) -> Arguments:
        assert original.payload is not None
        return self._codec.decode(
            original.task_id, original.func_name, function.call, original.payload
        )

    def _store(self, record: TaskRecord, function: TaskFunction, arguments: Arguments) -> None:
        needed = record.persist or self._sealed
        if not needed and not self.keep_arguments:
            return
        if record.persist and function.anonymous:
            raise TaskArgumentError(
                "func",
                function.call,
                f"{function.name!r} could not be found again after a restart: define it at the"
                " top level of a module under a name of its own, or decorate it with task(name=)",
            )
        args, kwargs = arguments
        try:
            record.payload = self._codec.encode(
                record.task_id, record.func_name, function.call, args, kwargs
            )
        except TaskArgumentError:
            if needed:
                raise
