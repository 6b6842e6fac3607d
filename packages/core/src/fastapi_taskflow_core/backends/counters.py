"""Roll-ups in memory, for as long as charts show them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ..rollups import STEP, Resolution, RollupKey, Rollups, RollupValue, floor
from ..surroundings import Clock
from .base import RollupQuery

_KEPT: dict[Resolution, timedelta] = {"minute": timedelta(hours=25), "hour": timedelta(days=31)}
_EPOCH = datetime.fromtimestamp(0, UTC)


class Counters:
    """Minute counters of the last 25 hours and hour counters of the last 31 days."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._steps: dict[Resolution, dict[datetime, Rollups]] = {"minute": {}, "hour": {}}

    def add(self, minutes: Rollups) -> None:
        """Count what was tallied by the minute."""
        for key, value in minutes.items():
            self._count("minute", key, value)
            self._count("hour", _moved(key, floor(key.start, STEP["hour"])), value)

    def read(self, query: RollupQuery) -> Rollups:
        """The counters that *query* asks for, summed per step."""
        summed: Rollups = {}
        for start, counted in self._within(query):
            shown = _EPOCH if query.step is None else floor(start, query.step)
            for key, value in counted.items():
                if query.func_name not in (None, key.func_name):
                    continue
                if query.queue in (None, key.queue):
                    summed.setdefault(_moved(key, shown), RollupValue()).add(value)
        return summed

    def _within(self, query: RollupQuery) -> Iterator[tuple[datetime, Rollups]]:
        for start, counted in self._steps[query.resolution].items():
            if query.since is not None and start < query.since:
                continue
            if query.until is None or start < query.until:
                yield start, counted

    def _count(self, resolution: Resolution, key: RollupKey, value: RollupValue) -> None:
        steps = self._steps[resolution]
        counted = steps.get(key.start)
        if counted is None:
            counted = steps[key.start] = {}
            self._forget_old(resolution)
        known = counted.get(key)
        if known is None:
            known = counted[key] = RollupValue()
        known.add(value)

    def _forget_old(self, resolution: Resolution) -> None:
        steps = self._steps[resolution]
        oldest = self._clock.now() - _KEPT[resolution]
        for start in [start for start in steps if start < oldest]:
            del steps[start]


def _moved(key: RollupKey, start: datetime) -> RollupKey:
    return RollupKey(start, key.func_name, key.queue, key.event, key.bucket)
