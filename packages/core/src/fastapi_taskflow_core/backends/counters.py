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
        start: datetime | None = None
        for key, value in minutes.items():
            if key.start != start:
                start, hour = key.start, floor(key.start, STEP["hour"])
                by_minute, by_hour = self._step("minute", start), self._step("hour", hour)
            _count(by_minute, key, value)
            _count(by_hour, RollupKey(hour, *key[1:]), value)

    def read(self, query: RollupQuery) -> Rollups:
        """The counters that *query* asks for, summed per step."""
        summed: Rollups = {}
        for start, counted in self._within(query):
            shown = _EPOCH if query.step is None else floor(start, query.step)
            for key, value in counted.items():
                if query.func_name not in (None, key.func_name):
                    continue
                if query.queue in (None, key.queue):
                    _count(summed, RollupKey(shown, *key[1:]), value)
        return summed

    def _within(self, query: RollupQuery) -> Iterator[tuple[datetime, Rollups]]:
        for start, counted in self._steps[query.resolution].items():
            if query.since is not None and start < query.since:
                continue
            if query.until is None or start < query.until:
                yield start, counted

    def _step(self, resolution: Resolution, start: datetime) -> Rollups:
        steps = self._steps[resolution]
        if start not in steps:
            oldest = self._clock.now() - _KEPT[resolution]
            for old in [known for known in steps if known < oldest]:
                del steps[old]
            steps[start] = {}
        return steps[start]


def _count(counted: Rollups, key: RollupKey, value: RollupValue) -> None:
    known = counted.get(key)
    if known is None:
        counted[key] = known = RollupValue()
    known.add(value)
