"""Waits for the next slot of all schedules, with one timer, and sees that it is settled."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from fastapi_taskflow_core.backends.scheduling import SlotOutcome
from fastapi_taskflow_core.errors import BackendError
from fastapi_taskflow_core.schedules import Runtime
from fastapi_taskflow_core.surroundings import Surroundings

from .misfire import judge
from .schedule import Schedule
from .settler import Settled, Settler
from .standing import Paused, Standing

logger = logging.getLogger(__name__)

_LONGEST_NAP = 30.0
"""Seconds after which the clock is looked at again: it may have been set."""
_LOOK_AGAIN = timedelta(seconds=1)
"""Whether the run before is over."""
_SOON = timedelta(milliseconds=10)
_PATIENCE = (0.1, 1.0)
"""Seconds before the first and any later new attempt while the backend is away."""
_AT_ONCE = 16
"""Schedules settled at the same time."""
_A_TURN = 50
"""Slots of one schedule settled before others have their turn."""
_SET_BACK = timedelta(seconds=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(order=True, slots=True)
class _Entry:
    """Where one schedule stands. Ordered by when it wants to be looked at."""

    due: datetime
    number: int
    schedule: Schedule = field(compare=False)
    settled: datetime | None = field(default=None, compare=False)
    """No slot up to here is of interest any more; None: the backend was not asked yet."""
    waiting: datetime | None = field(default=None, compare=False)
    """The slot that waits for the run before to end."""
    refusals: int = field(default=0, compare=False)
    """How often in a row the backend said that it is not yet time."""
    started: bool = field(default=False, compare=False)
    """Whether what is to be done at a start is done."""


class Ticker:
    """Fires the slots of all schedules of this process.

    Args:
        runtime: The engine that runs now, None if none does.
    """

    def __init__(
        self,
        settler: Settler,
        standing: Standing,
        surroundings: Surroundings,
        runtime: Callable[[], Runtime | None],
    ) -> None:
        self._settler = settler
        self._standing = standing
        self._clock = surroundings.clock
        self._random = surroundings.random
        self._runtime = runtime
        self._heap: list[_Entry] = []
        self._current: dict[str, Schedule] = {}
        self._numbers = count()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._seen: datetime | None = None

    def start(self, schedules: Sequence[Schedule]) -> None:
        """Begin, with a look at what was missed."""
        if self._task is None:
            self._heap.clear()
            self._current.clear()
            self._wake = asyncio.Event()
            self._seen = None
            for schedule in schedules:
                self._push(schedule)
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(self._run(), name="taskflow-schedules")

    async def stop(self) -> None:
        """Fire no more. Safe before `start`, and twice."""
        task, self._task, self._loop = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def add(self, schedule: Schedule) -> None:
        """Another schedule, or another one of that name. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._push, schedule)

    def _push(self, schedule: Schedule) -> None:
        self._current[schedule.name] = schedule
        heapq.heappush(self._heap, _Entry(_LONG_AGO, next(self._numbers), schedule))
        self._wake.set()

    async def _run(self) -> None:
        failures = 0
        while True:
            nap = self._until_next()
            if failures:
                first, later = _PATIENCE
                nap = (first if failures == 1 else later) * (0.5 + self._random() / 2)
            await self._sleep(nap)
            try:
                await self._tick()
                failures = 0
            except BackendError as error:
                level = logging.DEBUG if failures else logging.WARNING
                logger.log(level, "schedules wait for the task storage: %s", error)
                failures += 1
            except Exception:
                logger.exception("schedules wait, and go on in a second")
                failures += 1

    async def _sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        timer = self._clock.call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        self._wake.clear()

    def _until_next(self) -> float:
        runtime = self._runtime()
        if runtime is None or runtime.draining or not self._heap:
            return _LONGEST_NAP
        return min(_LONGEST_NAP, (self._heap[0].due - runtime.now()).total_seconds())

    async def _tick(self) -> None:
        runtime = self._runtime()
        if runtime is None or runtime.draining:
            return
        now = runtime.now()
        self._notice_set_back(now)
        due = self._pop_due(now)
        if not due:
            return
        try:
            paused = await self._standing.paused()
            for first in range(0, len(due), _AT_ONCE):
                turns = [
                    self._safely(runtime, entry, paused) for entry in due[first : first + _AT_ONCE]
                ]
                for error in await asyncio.gather(*turns):
                    if error is not None:
                        raise error
        finally:
            # What did not get its turn is still due.
            for entry in due:
                heapq.heappush(self._heap, entry)

    def _pop_due(self, now: datetime) -> list[_Entry]:
        due = []
        while self._heap and self._heap[0].due <= now:
            entry = heapq.heappop(self._heap)
            if self._current[entry.schedule.name] is entry.schedule:
                due.append(entry)
        return due

    def _notice_set_back(self, now: datetime) -> None:
        """A clock that was set back: slots come again, and the backend knows which are settled."""
        if self._seen is not None and now < self._seen - _SET_BACK:
            logger.warning(
                "the clock went back by %s: looking for slots from now on", self._seen - now
            )
            for entry in self._heap:
                if entry.settled is not None:
                    entry.settled = min(entry.settled, now)
                    entry.waiting = None
                    self._rest(entry, entry.settled)
            heapq.heapify(self._heap)
        self._seen = now

    async def _safely(self, runtime: Runtime, entry: _Entry, paused: Paused) -> BackendError | None:
        """One schedule's turn; the storage's absence concerns all, anything else only this one."""
        try:
            await self._turn(runtime, entry, paused)
        except BackendError as error:
            return error
        except Exception:
            logger.exception("schedule %r waits for a second", entry.schedule.name)
            entry.due = runtime.now() + _LOOK_AGAIN
        return None

    async def _turn(self, runtime: Runtime, entry: _Entry, paused: Paused) -> None:
        schedule, now = entry.schedule, runtime.now()
        if entry.settled is None:
            entry.settled = await self._look_back(schedule, now)
        due = schedule.due(entry.settled, now)
        is_paused = schedule.name in paused
        for at, fate in judge(due, schedule.options, entry.waiting)[:_A_TURN]:
            if runtime.draining:
                return
            outcome = SlotOutcome.SKIPPED if is_paused else fate
            settled = await self._settler.settle(runtime, schedule, at, outcome)
            if settled is Settled.EARLY:
                entry.due = now + min(_LOOK_AGAIN, _SOON * 2**entry.refusals)
                entry.refusals = min(entry.refusals + 1, 10)
                return
            entry.refusals = 0
            if settled is Settled.BUSY:
                entry.waiting, entry.due = at, now + _LOOK_AGAIN
                return
            entry.settled, entry.waiting = at, None
        await self._at_start(runtime, entry, is_paused=is_paused)
        self._rest(entry, entry.settled)

    def _rest(self, entry: _Entry, since: datetime) -> None:
        entry.due = entry.schedule.next_time(since) or _NEVER

    async def _look_back(self, schedule: Schedule, now: datetime) -> datetime:
        since = await self._standing.since(schedule, now)
        newest = await self._settler.newest(schedule)
        # One that is settled ahead of time was so by a clock that was wrong.
        return since if newest is None else min(max(since, newest), now)

    async def _at_start(self, runtime: Runtime, entry: _Entry, *, is_paused: bool) -> None:
        if entry.started:
            return
        schedule = entry.schedule
        wanted = schedule.options.run_on_startup and not is_paused
        if wanted and await self._standing.starts_first(schedule.name, runtime.instance):
            await self._settler.run(runtime, schedule)
        entry.started = True
