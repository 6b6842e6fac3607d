"""One schedule: what runs, when, and under which rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi_taskflow_core.registry import TaskFunction
from fastapi_taskflow_core.schedules import ScheduleOptions

from .cron import Cron
from .every import Every
from .misfire import Due, looked_at
from .slots import Bounded, Trigger, newest, share


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function with its slots."""

    function: TaskFunction
    trigger: Trigger
    options: ScheduleOptions

    @property
    def name(self) -> str:
        """The task's name."""
        return self.function.name

    @property
    def slots(self) -> str:
        """Which slots it has, in one line."""
        return f"{self.trigger.expression} {self.trigger.timezone}"

    def time_of(self, slot: datetime) -> datetime:
        """When the slot is to fire: with jitter, a little after its moment."""
        if not self.options.jitter:
            return slot
        return slot + timedelta(seconds=self.options.jitter * share(self.name, slot))

    def due(self, since: datetime, now: datetime) -> Sequence[Due]:
        """The slots after *since* whose time has come, the oldest first; see `looked_at`."""
        slots = newest(self.trigger, since, now, looked_at(self.options.misfire))
        times = [(slot, (now - self.time_of(slot)).total_seconds()) for slot in slots]
        return [Due(slot, late) for slot, late in times if late >= 0]

    def next_time(self, since: datetime) -> datetime | None:
        """When the first slot after *since* is to fire; None if there is none."""
        slot = self.trigger.after(since)
        return None if slot is None else self.time_of(slot)


def trigger_of(options: ScheduleOptions) -> Trigger:
    """The slots that the options speak of.

    Raises:
        ValueError: An option makes no sense, or no slot ever comes.
        MissingExtra: A cron pattern, and croniter is not installed.
    """
    trigger: Trigger
    if options.cron is not None:
        trigger = Cron(options.cron, options.timezone)
    else:
        assert options.every is not None
        if options.timezone != "UTC":
            raise ValueError(
                f"timezone goes with cron=, got {options.timezone!r} with every=:"
                " seconds are as long everywhere"
            )
        if options.jitter >= options.every:
            raise ValueError(
                f"jitter must be less than every ({options.every:g} seconds),"
                f" got {options.jitter:g}"
            )
        trigger = Every(options.every)
    if options.start is not None or options.end is not None:
        trigger = Bounded(trigger, options.start, options.end)
        if options.start is not None and trigger.after(options.start - _MOMENT) is None:
            raise ValueError(f"no slot between start ({options.start}) and end ({options.end})")
    return trigger


_MOMENT = timedelta(microseconds=1)
