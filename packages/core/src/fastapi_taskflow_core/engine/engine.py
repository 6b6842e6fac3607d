"""The parts that run tasks, put together; started, drained and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from contextvars import Context
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from ..arguments import ArgumentCodec
from ..backends.base import Pulse
from ..backends.guarded import GuardedBackend
from ..dispatch import Dispatch
from ..errors import BackendUnavailable, PayloadError, TaskNotFound, TaskStateError
from ..executors.base import Executor
from ..executors.coroutine import CoroutineExecutor
from ..executors.process import ProcessExecutor
from ..executors.thread import ThreadExecutor
from ..lifecycle import Event
from ..options import QueueConfig
from ..records import ExecutorKind, TaskRecord, TaskStatus
from ..registry import Registry
from ..resealing import warn_of_missing_keys
from ..sealing import Sealer
from ..service import Periodic
from ..surroundings import Surroundings, Timer
from .feed import Feed
from .journal import LINGER, Journal
from .lanes import Lanes
from .ledger import Ledger
from .live import Live, LiveTask, StopReason
from .membership import Load, Membership
from .news import News
from .patience import Patience
from .queue_limits import QueueLimits
from .retention import Retention
from .runner import Runner
from .signals import Signals
from .takeover import Takeover
from .turns import Turns

logger = logging.getLogger(__name__)

_THREADS = 40
_SWEEP = 2.0
_PRUNE = 60.0
_LIMITS = 5.0
_KEYS = 3600.0
_LAST_WORDS = 0.25
"""Share of ``drain_timeout`` kept for stopping what did not finish, and the last commit."""


class EngineSettings(NamedTuple):
    """How long things may take. All times in seconds."""

    drain_timeout: float = 8.0
    commit_timeout: float = 5.0
    lease: float = 15.0
    max_crashes: int = 3
    max_concurrent_tasks: int | None = None
    max_sync_threads: int | None = None
    max_process_workers: int | None = None
    process_shutdown_timeout: float = 30.0
    queues: Mapping[str, QueueConfig] = MappingProxyType({})
    persist_all: bool = False
    write_within: float = 60.0


class Engine:
    """Everything that is alive between one start and one stop of a manager.

    One that is never started still runs tasks, in memory and on whatever event loop it is
    used; it just does nothing by itself.
    """

    def __init__(
        self,
        store: GuardedBackend,
        registry: Registry,
        codec: ArgumentCodec,
        feed: Feed,
        surroundings: Surroundings,
        settings: EngineSettings,
        sealer: Sealer | None = None,
    ) -> None:
        self.instance = f"{socket.gethostname()}-{os.getpid()}-{surroundings.new_id()[-12:]}"
        self.settings = settings
        self.live = Live()
        self.patience = Patience()
        self.journal = Journal(
            store, self.instance, self, surroundings, linger=min(LINGER, settings.write_within)
        )
        self._store = store
        self._registry = registry
        self._surroundings = surroundings
        self._ledger = Ledger(self.live, self.journal, feed, surroundings)
        self._executors: dict[ExecutorKind, Executor] = {
            "async": CoroutineExecutor(),
            "thread": ThreadExecutor(),
            "process": ProcessExecutor(settings.process_shutdown_timeout),
        }
        self.turns = Turns(
            settings.queues,
            {
                "async": settings.max_concurrent_tasks,
                "thread": settings.max_sync_threads or _THREADS,
                "process": settings.max_process_workers or os.cpu_count() or 1,
            },
        )
        self.dispatch = Dispatch(
            self._ledger,
            codec,
            surroundings,
            self.instance,
            self.turns.known,
            persist_all=settings.persist_all,
            sealed=sealer is not None,
        )
        self._membership = Membership(
            store, self.instance, settings.lease, surroundings, self._load, self._heard
        )
        self.now = self._membership.now
        self._runner = Runner(
            self._ledger,
            self.journal,
            self._executors,
            codec,
            surroundings,
            self.later,
            self.patience,
            self._membership.trusted,
            sealer,
        )
        self.lanes = Lanes(self._runner, self.turns)
        self.queue_limits = QueueLimits(store, self.turns)
        # What a task list asks for goes straight to who does it: it is asked for every task.
        self.find = registry.find
        self.holder = self.live.holder
        self.prepare = self.dispatch.prepare
        self.reserve = self.turns.reserve
        self.admit = self.dispatch.admit
        self.for_anyone = self.dispatch.for_anyone
        self.withdraw = self._ledger.withdraw
        self.in_order = self.lanes.in_order
        self._takeover = Takeover(
            store,
            registry,
            self.instance,
            settings.max_crashes,
            self._take_over,
            lambda: self._membership.trusted() and not self.draining,
        )
        self.retention = Retention(store, surroundings.clock)
        self._pruning = Periodic("removing old history", lambda: _PRUNE, self.retention.prune)
        self._sweeping = Periodic("taking over due tasks", self._until_sweep, self._sweep)
        self._limiting = Periodic(
            "sharing the limits of queues", lambda: _LIMITS, self.queue_limits.share
        )
        self._sealer = sealer
        self._counting_keys = Periodic(
            "counting tasks by encryption key", lambda: _KEYS, self._count_keys
        )
        self._news = News(store.listen, self._news_came)
        self._signals = Signals(self._stop_is_near)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: dict[str, Timer] = {}
        self._drained: asyncio.Task[None] | None = None
        self._hurried = asyncio.Event()

    # Life.

    async def start(self) -> None:
        """Begin to write, beat and claim.

        Raises:
            BackendMisconfigured: The task storage will not work as it is configured.
        """
        self._loop = asyncio.get_running_loop()
        await self._store.open()
        self.journal.start()
        await self._membership.join()
        # Before anything begins: a queue may have been paused when the application stopped.
        with contextlib.suppress(BackendUnavailable):
            await self.queue_limits.share()
        if self._store.capabilities.survives_restart:
            await self._sweeping.start()
        if self._store.tells:
            await self._news.start()
        await self._pruning.start()
        await self._limiting.start()
        if self._sealer is not None and self._store.capabilities.survives_restart:
            await self._counting_keys.start()
        self._signals.listen()

    def drain(self) -> asyncio.Task[None]:
        """Start nothing more, give away what waits, give what runs some time. Twice is once."""
        if self._drained is None:
            self.patience.end()
            self._drained = asyncio.ensure_future(self._drain())
        return self._drained

    async def stop(self) -> None:
        """Drain, write what is left and let go of everything. Safe before `start`."""
        await self.drain()
        self._give_away()  # what was added meanwhile
        stuck = [task for task in self.live if task.busy]
        for task in stuck:
            logger.warning(
                "task %s (%s) runs on in a thread: it stays as it is until this process is gone",
                task.record.task_id,
                task.record.func_name,
            )
        await self.journal.stop(max(1.0, self.settings.drain_timeout * _LAST_WORDS))
        self.lanes.stop()
        for executor in self._executors.values():
            await executor.stop()
        if not stuck:
            await self._membership.leave()
        await self._store.close()
        self._signals.restore()

    @property
    def draining(self) -> bool:
        """Whether nothing new starts any more."""
        return self.patience.over

    async def _drain(self) -> None:
        await self._news.stop()
        await self._sweeping.stop()
        await self._pruning.stop()
        await self._limiting.stop()
        await self._counting_keys.stop()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._give_away()
        waits = {
            asyncio.ensure_future(self.lanes.idle(self.settings.drain_timeout * (1 - _LAST_WORDS))),
            asyncio.ensure_future(self._hurried.wait()),
        }
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if self.lanes.running:
            for task in self.live:
                task.end(StopReason.DRAINING)
            await self.lanes.idle(self.settings.drain_timeout * _LAST_WORDS / 2)

    def _give_away(self) -> None:
        for task in self.live:
            if task.record.status is TaskStatus.PENDING:
                self._give_up_waiting(task)

    def _give_up_waiting(self, task: LiveTask) -> None:
        if task.record.persist:
            # As long as a thread still runs the attempt before, nobody else may have it.
            if not task.busy:
                self._ledger.release(task)
        else:
            self._runner.keep_arguments(task)
            task.record.error = "the process stopped before this task could start"
            self._ledger.enter(task, Event.INTERRUPT)

    def _stop_is_near(self, again: bool) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hurried.set if again else self.drain)

    # Tasks.

    def place(self, task: LiveTask) -> None:
        """Let an admitted task run when it is its time."""
        wait = self._seconds_until(task.record.run_at)
        if wait > 0:
            self.later(task, wait)
        else:
            self.lanes.submit(task)

    def reject(self, task: LiveTask) -> None:
        """Note that the task found its queue full."""
        self.admit(task)
        self._runner.keep_arguments(task)
        task.record.error = f"queue {task.record.queue!r} was full"
        self._ledger.enter(task, Event.REJECT)

    def queues_changed(self) -> None:
        """Limits are other ones: share them, and let begin what may. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._limiting.hurry)
            self._loop.call_soon_threadsafe(self.turns.call_soon)

    def later(self, task: LiveTask, seconds: float) -> None:
        """Run the task after so many seconds."""

        def due() -> None:
            del self._timers[task.record.task_id]
            self.lanes.submit(task)

        if self.draining:
            self._give_up_waiting(task)
        else:
            self._timers[task.record.task_id] = self._surroundings.clock.call_later(seconds, due)

    def delayed(self, task: LiveTask) -> bool:
        """Whether the task is for later."""
        return self._seconds_until(task.record.run_at) > 0

    async def commit(self) -> None:
        """Return when everything admitted so far is durable.

        Raises:
            BackendUnavailable: It is not within ``commit_timeout``; at once, if the storage
                is known to be away.
        """
        if self.journal.lag > self.settings.commit_timeout:
            raise BackendUnavailable(self.journal.last_error or "the task storage is away")
        await self.journal.commit(self.settings.commit_timeout)

    def reseal(self) -> None:
        """Encrypt the arguments of the tasks that wait here with the key that encrypts now."""
        assert self._sealer is not None
        for task in self.live:
            if task.record.payload is not None:
                with contextlib.suppress(PayloadError):  # it stays as it is, and fails as it is
                    task.record.payload = self._sealer.reseal(task.record)
                    self.journal.put(task.record)

    async def sweep_now(self) -> None:
        """Claim what waits for anyone without waiting for the next sweep."""
        if not self.draining:
            await self._sweeping.start()
            self._sweeping.hurry()

    async def cancel(self, task_id: str) -> TaskRecord:
        """Cancel the task, wherever it is; see `TaskManager.cancel`."""
        task = self.live.get(task_id)
        if task is not None:
            self._cancel_here(task)
            return task.record.copy()
        await self.journal.flush(self.settings.commit_timeout)
        found = await self._store.get(task_id)
        if found is None:
            raise TaskNotFound(task_id)
        if found.status.finished:
            raise TaskStateError(task_id, found.status, "cancel")
        holder = self.live.get(found.task_id)
        if holder is not None:
            self._cancel_here(holder)
            return holder.record.copy()
        now = self._surroundings.clock.now()
        return await self._store.request_cancel(task_id, now) or found

    def _cancel_here(self, task: LiveTask) -> None:
        if task.record.status is TaskStatus.PENDING:
            timer = self._timers.pop(task.record.task_id, None)
            if timer is not None:
                timer.cancel()
            self._ledger.enter(task, Event.CANCEL)
        elif not task.record.cancel_requested:
            task.record.cancel_requested = True
            self.journal.put(task.record)
            task.end(StopReason.CANCELLED)

    def _take_over(self, claimed: Sequence[TaskRecord]) -> None:
        self.journal.adopt(claimed)
        for record in claimed:
            function = self._registry[record.func_name]
            record.executor = function.executor  # it may have been another when it was added
            task = LiveTask(record, function, None, Context())
            task.confirmed = True
            self._ledger.adopt(task)
            if self.draining:
                self._give_up_waiting(task)
            else:
                self.lanes.submit(task)

    async def _sweep(self) -> None:
        await self._membership.be_seen()
        await self._takeover.sweep()

    async def _count_keys(self) -> None:
        assert self._sealer is not None
        await warn_of_missing_keys(self._store, self._sealer)

    def _seconds_until(self, moment: datetime | None) -> float:
        if moment is None:
            return 0.0
        return (moment - self._surroundings.clock.now()).total_seconds()

    # What the backend says.

    def refused(self, task_id: str) -> None:
        """Another instance owns the task by now: drop it here."""
        task = self.live.get(task_id)
        if task is not None:
            logger.warning("task %s belongs to another instance by now; dropped here", task_id)
            self._ledger.lose(task)

    def duplicate(self, task_id: str, holder: str) -> None:
        """The task's key was taken: it never runs."""
        task = self.live.get(task_id)
        if task is not None:
            logger.info("task %s is a duplicate of %s and does not run", task_id, holder)
            self._ledger.lose(task)

    def _news_came(self) -> None:
        self._sweeping.hurry()
        self._limiting.hurry()
        self._membership.hurry()

    def _heard(self, pulse: Pulse) -> None:
        if not pulse.alive:
            logger.warning("this instance was taken for dead; looking at what is still its own")
            for task in self.live:
                self.journal.put(task.record)
        for task_id in pulse.cancels:
            asked = self.live.get(task_id)
            if asked is not None:
                self._cancel_here(asked)

    def _load(self) -> Load:
        running = self.turns.running
        return Load(running, max(0, len(self.live) - running), self.draining)

    def _until_sweep(self) -> float:
        return _SWEEP * (0.9 + 0.2 * self._surroundings.random())
