"""The parts that run tasks, put together; started, drained and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Coroutine, Mapping
from types import MappingProxyType
from typing import NamedTuple

from ..arguments import ArgumentCodec
from ..backends.guarded import GuardedBackend
from ..dispatch import Dispatch
from ..errors import BackendUnavailable, CommitTimeout
from ..executors.base import Executor
from ..executors.coroutine import CoroutineExecutor
from ..executors.process import ProcessExecutor
from ..executors.thread import ThreadExecutor
from ..options import QueueConfig
from ..records import ExecutorKind, TaskStatus
from ..registry import Registry
from ..sealing import Sealer
from ..surroundings import Surroundings
from .adoption import Adoption
from .cancelling import Cancelling
from .delays import Delays
from .feed import Feed
from .journal import LINGER, Journal
from .lanes import Lanes
from .ledger import Ledger
from .live import Live, StopReason
from .losses import Losses
from .membership import Load, Membership
from .patience import Patience
from .queue_limits import QueueLimits
from .retention import Retention
from .runner import Runner
from .setbacks import Setbacks
from .signals import Signals
from .takeover import Takeover
from .turns import Turns
from .upkeep import Upkeep

logger = logging.getLogger(__name__)

_THREADS = 40
_LAST_WORDS = 0.25
"""Share of ``drain_timeout`` kept for stopping what did not finish, and for the last commit,
which has the time that the tasks leave of the rest, too.
"""


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
        clock = surroundings.clock
        self.instance = f"{socket.gethostname()}-{os.getpid()}-{surroundings.new_id()[-12:]}"
        self._settings = settings
        self._store = store
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clock = clock
        self._drained: asyncio.Task[None] | None = None
        self._drain_until = 0.0
        self._hurried = asyncio.Event()
        self._signals = Signals(self._stop_is_near)
        # What is unfinished here, and where it is written down.
        self.patience = Patience()
        self.live = Live()
        self.journal = Journal(
            store,
            self.instance,
            Losses(self.live),
            surroundings,
            linger=min(LINGER, settings.write_within),
        )
        ledger = Ledger(self.live, self.journal, feed, surroundings)
        self._setbacks = setbacks = Setbacks(ledger, codec)
        # When a task begins.
        self._delays = Delays(clock, self.patience, setbacks)
        self.turns = Turns(
            settings.queues,
            {
                "async": settings.max_concurrent_tasks,
                "thread": settings.max_sync_threads or _THREADS,
                "process": settings.max_process_workers or os.cpu_count() or 1,
            },
        )
        self.dispatch = Dispatch(
            ledger,
            codec,
            surroundings,
            self.instance,
            self.turns.known,
            persist_all=settings.persist_all,
            sealed=sealer is not None,
        )
        cancelling = Cancelling(
            store, self.live, self.journal, ledger, self._delays, clock, settings.commit_timeout
        )
        self._membership = Membership(
            store,
            self.instance,
            settings.lease,
            surroundings,
            self._load,
            ledger.reaffirm,
            cancelling.asked,
        )
        # How it runs.
        self._executors: dict[ExecutorKind, Executor] = {
            "async": CoroutineExecutor(),
            "thread": ThreadExecutor(),
            "process": ProcessExecutor(settings.process_shutdown_timeout),
        }
        runner = Runner(
            ledger,
            self.journal,
            setbacks,
            self._executors,
            codec,
            surroundings,
            self.patience,
            self._membership.trusted,
            sealer,
        )
        self.lanes = Lanes(runner, self.turns, self._delays)
        # What goes on beside it.
        adoption = Adoption(
            registry, self.journal, ledger, setbacks, self.patience, self.lanes.submit
        )
        takeover = Takeover(
            store,
            registry,
            self.instance,
            settings.max_crashes,
            adoption.take,
            self._membership.trusted,
            self.patience,
        )
        self.queue_limits = QueueLimits(store, self.turns)
        self.retention = Retention(store, clock)
        self._upkeep = Upkeep(
            store,
            self._membership,
            takeover,
            self.queue_limits,
            self.retention,
            self.patience,
            surroundings.random,
            sealer,
        )
        # What the engine is asked for goes straight to who does it: much of it for every task.
        self.now = self._membership.now
        self.find = registry.find
        self.holder = self.live.holder
        self.prepare = self.dispatch.prepare
        self.for_anyone = self.dispatch.for_anyone
        self.reserve = self.turns.reserve
        self.reject = setbacks.reject
        self.admit = self.dispatch.admit
        self.withdraw = ledger.withdraw
        self.delayed = self._delays.delayed
        self.place = self.lanes.place
        self.in_order = self.lanes.in_order
        self.cancel = cancelling.cancel
        self.sweep_now = self._upkeep.sweep_now

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
        await self._upkeep.start()
        self._signals.listen()

    @property
    def draining(self) -> bool:
        """Whether nothing new starts any more."""
        return self.patience.over

    def drain(self) -> asyncio.Task[None]:
        """Start nothing more, give away what waits, give what runs some time. Twice is once."""
        if self._drained is None:
            self.patience.end()
            self._drain_until = self._clock.monotonic() + self._settings.drain_timeout
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
        last_words = max(1.0, self._settings.drain_timeout * _LAST_WORDS)
        await self._unless_hurried(self._write_until(self._drain_until - last_words))
        await self.journal.stop(last_words)
        self.lanes.stop()
        for executor in self._executors.values():
            await executor.stop()
        if not stuck:
            await self._membership.leave()
        await self._store.close()
        self._signals.restore()

    def commit(self) -> Awaitable[None]:
        """Wait until everything admitted so far is durable.

        Raises:
            BackendUnavailable: It is not within ``commit_timeout``; at once, if the storage
                is known to be away.
        """
        if self.journal.lag > self._settings.commit_timeout:
            raise BackendUnavailable(self.journal.last_error or "the task storage is away")
        return self.journal.commit(self._settings.commit_timeout)

    def queues_changed(self) -> None:
        """Limits are other ones: share them, and let begin what may. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._upkeep.share_limits)
            self._loop.call_soon_threadsafe(self.turns.call_soon)

    async def _drain(self) -> None:
        await self._upkeep.stop()
        self._delays.stop()
        self._give_away()
        await self._unless_hurried(
            self.lanes.idle(self._settings.drain_timeout * (1 - _LAST_WORDS))
        )
        if self.lanes.running:
            for task in self.live:
                task.end(StopReason.DRAINING)
            await self.lanes.idle(self._settings.drain_timeout * _LAST_WORDS / 2)

    async def _write_until(self, moment: float) -> None:
        with contextlib.suppress(CommitTimeout):
            await self.journal.flush(moment - self._clock.monotonic())

    async def _unless_hurried(self, wait: Coroutine[None, None, object]) -> None:
        """Wait, as long as nobody has lost patience."""
        waits = {asyncio.ensure_future(wait), asyncio.ensure_future(self._hurried.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def _give_away(self) -> None:
        for task in self.live:
            if task.record.status is TaskStatus.PENDING:
                self._setbacks.give_away(task)

    def _stop_is_near(self, again: bool) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hurried.set if again else self.drain)

    def _load(self) -> Load:
        running = self.turns.running
        return Load(running, max(0, len(self.live) - running), self.draining)
