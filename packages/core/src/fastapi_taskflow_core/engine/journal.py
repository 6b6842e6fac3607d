"""Group commit: changes gather in memory and go to the backend many at a time.

While a batch is written the next one gathers, so under load one commit serves many. There
are three degrees of hurry: `commit` writes at once and tells when all that was put before
is durable; finished tasks follow within ``LINGER`` seconds; tasks that wait or run and
need no promise are written every ``LAZY`` seconds, so that other instances see them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from math import inf
from typing import Protocol

from ..backends.base import Batch, TaskStore, Written
from ..errors import BackendError, BackendMisconfigured, BackendUnavailable, CommitTimeout
from ..records import LogEntry, TaskRecord
from ..surroundings import Surroundings, Timer
from .buffer import Buffer
from .waiters import Waiter, Waiters

logger = logging.getLogger(__name__)

LINGER = 0.05
LAZY = 0.5
COMPANY = 0.005
"""Most seconds a commit waits for others to join it."""
BACKOFF = (0.1, 2.0)
"""Least and most seconds before a failed write is tried again."""
CAPACITY = 10_000
"""Changes that may wait while the backend is away, before unpromised history is dropped."""
SILENCE = 5.0
"""Seconds after which a backend that neither takes a batch nor refuses it is away."""


class Listener(Protocol):
    """Who must know when the backend does not take a task as it was put."""

    def refused(self, task_id: str) -> None:
        """The task belongs to another instance by now."""

    def duplicate(self, task_id: str, holder: str) -> None:
        """Another task holds the idempotency key; *task_id* is its alias now."""


class Journal:
    """The only writer of tasks, to be used on the event loop.

    Before `start` it writes only when asked to, by `commit` and `flush`, or when it has
    gathered more than ``CAPACITY`` changes.

    Args:
        instance: In whose name changes are written.
        listener: Who hears of what the backend did not take.
        linger: Seconds that finished tasks may wait for company.
    """

    def __init__(
        self,
        store: TaskStore,
        instance: str,
        listener: Listener,
        surroundings: Surroundings,
        linger: float = LINGER,
    ) -> None:
        self.dropped = 0
        self.last_error: str | None = None
        self._store = store
        self._listener = listener
        self._clock = surroundings.clock
        self._random = surroundings.random
        self._buffer = Buffer(instance)
        self._linger = linger
        self._durable = False
        self._crowd = inf
        """How many waited for the last batch that anybody waited for."""
        self._want_lazy = False
        self._lazy_until: float | None = None
        """When what is lazy must be written, however often the rest is written before."""
        self._started = False
        self._timer: Timer | None = None
        self._timer_seconds = 0.0
        self._failing_since: float | None = None
        self._writing_since: float | None = None
        self._waiters = Waiters(self._clock)
        self._writing: asyncio.Task[None] | None = None

    def put(self, task: TaskRecord) -> None:
        """The task has changed. Written soon, or with the next `commit`."""
        if self._buffer.put(task):
            seconds = self._linger
        else:
            seconds = LAZY
            if self._lazy_until is None:
                self._lazy_until = self._clock.monotonic() + LAZY
        if self._timer is None or seconds < self._timer_seconds:  # seldom: it is under way
            self._arm(seconds)

    def log(self, task_id: str, entry: LogEntry) -> None:
        """The task has said something."""
        self._buffer.log(task_id, entry)
        self._arm(LAZY)

    def withdraw(self, task: TaskRecord) -> None:
        """The task was put, but is not to be, as long as nobody has started it."""
        if self._buffer.withdraw(task):
            self._arm(self._linger)

    def adopt(self, tasks: Iterable[TaskRecord]) -> None:
        """These came from the backend: their changes are updates."""
        self._buffer.adopt(tasks)

    async def commit(self, timeout: float | None = None) -> None:
        """Return when everything put before is durable.

        Args:
            timeout: Seconds to wait at most; None waits as long as it takes.

        Raises:
            CommitTimeout: It took longer. What was put stays in the journal.
        """
        self._durable = True
        if (waiter := self._join(timeout)) is not None:
            await waiter

    async def flush(self, timeout: float | None = None) -> None:
        """Return when everything put before can be read from the backend.

        Raises:
            CommitTimeout: It took longer. What was put stays in the journal.
        """
        self._want_lazy = True
        if (waiter := self._join(timeout)) is not None:
            await waiter

    def start(self) -> None:
        """From now on changes are written without being asked for."""
        self._started = True
        if len(self._buffer):
            self._arm(self._linger)

    async def stop(self, timeout: float) -> None:
        """Write what is left, for *timeout* seconds at most; then stop trying."""
        self._started = False
        self._disarm()
        with contextlib.suppress(CommitTimeout):
            await self.flush(timeout)
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])
            self._writing = None
        if left := len(self._buffer):
            logger.error("stopped with %d changes that the task storage did not take", left)

    @property
    def buffered(self) -> int:
        """How many changes the backend does not have yet."""
        return len(self._buffer)

    @property
    def lag(self) -> float:
        """Seconds that the backend has been failing or busy with one batch; 0 if it rests."""
        since = self._writing_since if self._failing_since is None else self._failing_since
        return 0.0 if since is None else self._clock.monotonic() - since

    def _arm(self, seconds: float) -> None:
        if not self._started:
            if len(self._buffer) > CAPACITY:
                self._want_lazy = True
                self._kick()
            return
        if self._timer is not None:
            if self._timer_seconds <= seconds:
                return
            self._timer.cancel()
        self._timer_seconds = seconds
        self._timer = self._clock.call_later(seconds, self._due)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        if self._lazy_until is not None and self._clock.monotonic() >= self._lazy_until:
            self._want_lazy = True
        if self._failing_since is not None or self.lag > SILENCE:
            self.dropped += self._buffer.shed(CAPACITY)
        self._kick()
        if len(self._buffer) > CAPACITY:
            self._arm(LAZY)  # to look again, even if nothing more is put

    def _kick(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(self._write_all())

    def _join(self, timeout: float | None) -> Waiter | None:
        """Done when all that was put is written; None if it is."""
        writing = self._writing is not None and not self._writing.done()
        if not (writing or len(self._buffer)):
            return None
        waiter = self._waiters.join(timeout)
        self._kick()
        return waiter

    async def _write_all(self) -> None:
        """Write until nobody waits; what nobody waits for gathers until the next timer."""
        failures = 0
        while True:
            await self._company()
            durable, self._durable = self._durable, False
            lazy, self._want_lazy = self._want_lazy, False
            if lazy:
                self._lazy_until = None
            batch = self._buffer.take(lazy=lazy, durable=durable)
            waiters = self._waiters.take()
            self._writing_since = self._clock.monotonic()
            try:
                await self._write(batch)
            except (BackendUnavailable, BackendMisconfigured) as error:
                failures += 1
                self._want_lazy = self._want_lazy or lazy
                self._failed(batch, waiters, error)
                await asyncio.sleep(self._backoff(failures))
            except BaseException:
                self._put_back(batch, waiters)
                raise
            else:
                failures = 0
                self._writing_since = None
                self._works()
                self._waiters.release(waiters)
                self._crowd = len(waiters) or self._crowd
                if len(self._buffer):
                    self._arm(self._linger if self._buffer.urgent else LAZY)
                if not (self._waiters or self._want_lazy):
                    return

    async def _company(self) -> None:
        """Let those join who are about to: as long as turns of the event loop bring somebody.

        Who waits alone is held up by two empty turns, some microseconds; under load a commit
        serves several times as many. When as many wait as the last time, nobody is about to:
        the batch is written while the tasks of the last one run.
        """
        until, joined, empty = self._clock.monotonic() + COMPANY, len(self._waiters), 0
        while 0 < joined < self._crowd and empty < 2 and self._clock.monotonic() < until:
            await asyncio.sleep(0)
            empty = empty + 1 if len(self._waiters) == joined else 0
            joined = len(self._waiters)

    async def _write(self, batch: Batch) -> None:
        """Write the batch; if something in it cannot be stored, write all but that."""
        if not batch:
            return
        try:
            written = await self._store.write(batch)
        except (BackendUnavailable, BackendMisconfigured):
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it must not hold up the rest
            parts = _halves(batch)
            for part in parts:
                await self._write(part)
            if not parts:
                self._drop(batch, error)
        else:
            self._settle(batch, written)

    def _drop(self, batch: Batch, error: Exception) -> None:
        self.dropped += 1
        logger.error("the task storage cannot take this change: %s", _name(batch), exc_info=error)
        for task in (*batch.inserts, *batch.updates):
            self._buffer.forget(task.task_id)
            self._listener.refused(task.task_id)

    def _settle(self, batch: Batch, written: Written) -> None:
        self._buffer.written(batch)
        for task_id in written.refused:
            self._buffer.forget(task_id)
            self._listener.refused(task_id)
        for task_id, holder in written.duplicates.items():
            self._buffer.forget(task_id)
            self._listener.duplicate(task_id, holder)

    def _works(self) -> None:
        if self._failing_since is not None:
            logger.warning("the task storage works again, after %.1f s", self.lag)
            self._failing_since = self.last_error = None

    def _failed(self, batch: Batch, waiters: list[Waiter], error: BackendError) -> None:
        if self._failing_since is None:
            self._failing_since = self._clock.monotonic()
            logger.warning("the task storage does not take changes; trying again: %s", error)
        self.last_error = str(error)
        self._put_back(batch, waiters)
        self.dropped += self._buffer.shed(CAPACITY)

    def _put_back(self, batch: Batch, waiters: list[Waiter]) -> None:
        self._buffer.give_back(batch)
        self._waiters.give_back(waiters)
        self._durable = self._durable or batch.durable

    def _backoff(self, failures: int) -> float:
        least, most = BACKOFF
        longest = min(most, least * 2.0 ** min(failures, 10))
        return least + (longest - least) * self._random()


def _halves(batch: Batch) -> list[Batch]:
    """The batch in two, each task with its log lines; nothing for one that has no halves."""
    tasks = [*batch.inserts, *batch.updates, *batch.withdrawn]
    owners = list(dict.fromkeys([task.task_id for task in tasks] + [of for of, _ in batch.logs]))
    if len(owners) < 2:
        return []
    middle = len(owners) // 2
    return [_part(batch, set(half)) for half in (owners[:middle], owners[middle:])]


def _part(batch: Batch, ids: set[str]) -> Batch:
    return Batch(
        batch.instance,
        [task for task in batch.inserts if task.task_id in ids],
        [task for task in batch.updates if task.task_id in ids],
        [line for line in batch.logs if line[0] in ids],
        [task for task in batch.withdrawn if task.task_id in ids],
        batch.durable,
    )


def _name(batch: Batch) -> str:
    tasks = (*batch.inserts, *batch.updates, *batch.withdrawn)
    return ", ".join(task.task_id for task in tasks) or "a log line"
