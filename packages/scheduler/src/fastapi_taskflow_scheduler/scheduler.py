"""The scheduler as the core and its users see it: it builds the parts and delegates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from fastapi_taskflow_core.backends.scheduling import Later, Slot, Turn
from fastapi_taskflow_core.errors import BackendError, ScheduleNotFound
from fastapi_taskflow_core.registry import TaskFunction
from fastapi_taskflow_core.schedules import Ground, ScheduleInfo, ScheduleOptions

from .one_off import OneOffs, running
from .schedule import Schedule, trigger_of
from .settler import Settler
from .slots import upcoming
from .standing import Paused, Standing
from .ticker import Ticker

_SHOWN = 5


class Scheduler:
    """The schedules of one manager. See `fastapi_taskflow_core.schedules.Scheduler`."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._clock = ground.surroundings.clock
        self._runtime = ground.runtime
        self._schedules: dict[str, Schedule] = {}
        self._settler = Settler(ground.store)
        self._standing = Standing(ground.store)
        self._ticker = Ticker(self._settler, self._standing, ground.surroundings, ground.runtime)
        one_offs = OneOffs(ground)
        self.put_later = one_offs.put
        self.drop_later = one_offs.drop
        self._one_offs = one_offs

    def plan(self, options: ScheduleOptions) -> Callable[[TaskFunction], None]:
        """Let a function follow these options; see the protocol for what it raises."""
        trigger = trigger_of(options)

        def follow(function: TaskFunction) -> None:
            before = self._schedules.get(function.name)
            if before is not None and before.function.call is function.call:
                raise ValueError(
                    f"{function.name!r} has a schedule already: give this one another name="
                )
            # Another one under this name: its module was loaded anew.
            schedule = Schedule(function, trigger, options)
            self._schedules[function.name] = schedule
            self._ticker.add(schedule)

        return follow

    def start(self) -> None:
        """Begin to fire slots, on the running event loop."""
        self._standing.reset()
        self._ticker.start(tuple(self._schedules.values()))

    async def stop(self) -> None:
        """Fire no more. Safe before `start`, and twice."""
        await self._ticker.stop()
        starting = [
            schedule.name
            for schedule in self._schedules.values()
            if schedule.options.run_on_startup
        ]
        try:
            await self._standing.forget_start(starting)
        except BackendError:
            return  # it is forgotten by itself after some seconds

    async def list(self, history: int = 20) -> Sequence[ScheduleInfo]:
        """Every schedule of this process by name, each with so many of its last slots."""
        paused = await self._standing.paused()
        names = sorted(self._schedules)
        return [await self._info(self._schedules[name], paused, history) for name in names]

    async def get(self, name: str, history: int = 20) -> ScheduleInfo:
        """One schedule. Raises `ScheduleNotFound`."""
        schedule = self._find(name)
        return await self._info(schedule, await self._standing.paused(), history)

    async def pause(self, name: str) -> None:
        """Skip its slots on every instance, until `resume`.

        Raises:
            ScheduleNotFound: There is none of this name.
            NotStarted: The manager is not.
        """
        schedule = self._find(name)
        running(self._runtime, "pause")
        await self._standing.pause(schedule.name)

    async def resume(self, name: str) -> None:
        """Run it again, from the next slot on.

        Raises:
            ScheduleNotFound: There is none of this name.
            NotStarted: The manager is not.
        """
        schedule = self._find(name)
        running(self._runtime, "resume")
        await self._standing.resume(schedule.name)

    async def run(self, name: str) -> str:
        """Run it now, paused or not; returns the task's id.

        Raises:
            ScheduleNotFound: There is none of this name.
            NotStarted: The manager is not.
        """
        schedule = self._find(name)
        return await self._settler.run(running(self._runtime, "run"), schedule)

    async def later(
        self, before: datetime | None = None, limit: int = 200, after: Turn | None = None
    ) -> Sequence[Later]:
        """One-offs that wait, the soonest first; with *after* those of later turns."""
        return await self._one_offs.list(before, limit, after)

    def _find(self, name: str) -> Schedule:
        try:
            return self._schedules[name]
        except KeyError:
            raise ScheduleNotFound(name) from None

    async def _info(self, schedule: Schedule, paused: Paused, history: int) -> ScheduleInfo:
        runtime = self._runtime()
        now = self._clock.now() if runtime is None else runtime.now()
        last: Sequence[Slot] = ()
        if history > 0:
            last = await self._store.slots(schedule.name, history)
        trigger = schedule.trigger
        return ScheduleInfo(
            name=schedule.name,
            words=trigger.words,
            expression=trigger.expression,
            timezone=trigger.timezone,
            paused=schedule.name in paused,
            next=upcoming(trigger, now, _SHOWN),
            last=last,
            options=schedule.options,
        )
