"""One task through its attempts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..arguments import ArgumentCodec
from ..context import TaskContext, current
from ..errors import AttemptTimeout, PayloadError
from ..executors.base import Executor
from ..lifecycle import Event
from ..records import ExecutorKind, LogLevel, Progress, TaskStatus
from ..results import stored_result
from ..retry import next_attempt
from ..sealing import Sealer, Veil
from ..surroundings import Surroundings
from .journal import Journal
from .ledger import Ledger
from .live import LiveTask, StopReason
from .patience import Patience
from .setbacks import Setbacks

logger = logging.getLogger(__name__)


class Runner:
    """Runs attempts, one after another while they follow at once.

    Args:
        patience: Over when the engine drains: then no new attempts start.
        trusted: Whether others are sure to think this instance alive.
        sealer: Encrypts arguments; None where they are not.
    """

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        setbacks: Setbacks,
        executors: Mapping[ExecutorKind, Executor],
        codec: ArgumentCodec,
        surroundings: Surroundings,
        patience: Patience,
        trusted: Callable[[], bool],
        sealer: Sealer | None = None,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._setbacks = setbacks
        self._executors = executors
        self._codec = codec
        self._clock = surroundings.clock
        self._random = surroundings.random
        self._patience = patience
        self._trusted = trusted
        self._sealer = sealer

    async def run(self, task: LiveTask) -> float | None:
        """Run the task until it is finished, waits for a retry, or is no longer ours.

        Returns:
            Seconds until the next attempt; None if this instance makes none.
        """
        if task.must_be_stored and not task.confirmed:
            await self._journal.commit()
            task.confirmed = True
        while self._ready(task):
            if task.leftover is not None:
                # Two attempts of one task never overlap, even if a thread would not end.
                await asyncio.wait([task.leftover])
                if not self._ready(task):
                    return None
            task.begin()
            self._ledger.enter(task, Event.START)
            try:
                if task.record.persist and not self._may_run_twice(task):
                    await self._put_on_record(task)
                result = await self._call(task)
            except BaseException as error:  # noqa: BLE001  whatever a task raises is its outcome
                wait = await self._ended(task, error)
            else:
                if task.stop_reason is not None:
                    await self._settle_cancellation(task)
                self._returned(task, result)
                return None
            if wait is None or wait > 0:
                return wait
            await asyncio.sleep(0)
        return None

    def _ready(self, task: LiveTask) -> bool:
        return not (
            task.gone or task.record.status is not TaskStatus.PENDING or self._patience.over
        )

    async def _put_on_record(self, task: LiveTask) -> None:
        """From here on nobody starts it a second time, whatever becomes of us."""
        await self._journal.commit()
        if task.stop.raised:
            raise asyncio.CancelledError

    def _call(self, task: LiveTask) -> Awaitable[Any]:
        args, kwargs = self._arguments(task)
        task.context.run(current.set, Voice(task, self._ledger, self._clock.now, task.veil))
        executor, limit = self._executors[task.record.executor], task.function.options.timeout
        call = executor.run(task, args, kwargs)
        return call if limit is None else _within(limit, call, task)

    def _may_run_twice(self, task: LiveTask) -> bool:
        """Whether the call need not wait until its start is on record.

        One that was taken over waits: if it takes its process with it each time, that has
        to be counted.
        """
        record = task.record
        return record.requeue_on_interrupt and record.epoch == 1 and self._trusted()

    def _arguments(self, task: LiveTask) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        if task.arguments is not None:
            return task.arguments
        record = task.record
        if record.payload is None:
            raise PayloadError("the arguments of this task were not stored")
        arguments = self._codec.decode(
            record.task_id, record.func_name, task.function.call, record.payload
        )
        if self._sealer is None:
            task.arguments = arguments
        else:
            task.veil = Veil(self._sealer, arguments)
        return arguments

    def _returned(self, task: LiveTask, result: Any) -> None:
        if task.gone:
            return
        if task.function.options.keep_result:
            task.record.result = stored_result(self._codec, task.record, task.function.call, result)
        cancelled = task.stop_reason is StopReason.CANCELLED
        self._ledger.enter(task, Event.CANCEL if cancelled else Event.SUCCEED)

    async def _ended(self, task: LiveTask, error: BaseException) -> float | None:
        """Enter how the attempt ended; the seconds until the next one, if there is one."""
        foreign = await self._settle_cancellation(task)
        cut_off = isinstance(error, asyncio.CancelledError)
        if task.gone:
            return None
        if task.stop_reason is StopReason.CANCELLED:
            self._ledger.enter(task, Event.CANCEL)
        elif cut_off and (foreign or task.stop_reason is StopReason.DRAINING):
            self._setbacks.interrupt(task)
        else:
            return self._failed(task, error)
        if cut_off and foreign:
            raise error
        return None

    async def _settle_cancellation(self, task: LiveTask) -> bool:
        """Take back our own cancellation; True if somebody else cancels this asyncio task."""
        running = asyncio.current_task()
        if running is None or not running.cancelling():
            return False
        if task.stop_reason is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)  # one that was not delivered yet must not hit the next task
            running.uncancel()
        return bool(running.cancelling())

    def _failed(self, task: LiveTask, error: BaseException) -> float | None:
        wait = next_attempt(task.function.options.retry, task.record.attempt, error, self._random())
        if wait is None or isinstance(error, PayloadError):
            self._setbacks.fail(task, error)
            return None
        self._ledger.retry(task, error, wait)
        return wait


async def _within(limit: float, call: Awaitable[Any], task: LiveTask) -> Any:
    try:
        async with asyncio.timeout(limit) as patience:
            return await call
    except TimeoutError:
        if not patience.expired():
            raise
        task.stop.raised = True
        raise AttemptTimeout(limit) from None


class Voice:
    """What the running task says, from any thread, on its way to the ledger."""

    __slots__ = ("_context", "_ledger", "_loop", "_now", "_task", "_veil")

    def __init__(
        self, task: LiveTask, ledger: Ledger, now: Callable[[], Any], veil: Veil | None
    ) -> None:
        self._task = task
        self._ledger = ledger
        self._now = now
        self._veil = veil
        self._loop = asyncio.get_running_loop()
        self._context: TaskContext | None = None

    @property
    def context(self) -> TaskContext:
        """Who is running."""
        if self._context is None:
            record = self._task.record
            self._context = TaskContext(
                record.task_id,
                record.func_name,
                record.attempt,
                dict(record.tags or {}),
                self._task.stop,
            )
        return self._context

    def log(self, level: LogLevel, message: str, extra: dict[str, Any] | None) -> None:
        """Keep a line."""
        if self._veil is not None:
            message, extra = self._veil.masked(message), self._veil.masked_fields(extra)
        self._on_loop(self._ledger.log, self._task, self._now(), level, message, extra)

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        """Keep how far the task is."""
        progress = Progress(done, total, message)
        if self._veil is not None:
            progress = self._veil.sealed_progress(self._task.record, progress)
        self._on_loop(self._ledger.progress, self._task, self._now(), progress)

    def _on_loop(self, call: Callable[..., object], *args: object) -> None:
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            call(*args)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *args)
