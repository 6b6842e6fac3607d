"""Roll-ups in memory: by steps for as long as charts show them, and of all time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ..rollups import KEPT, STEP, Resolution, RollupKey, Rollups, RollupValue, floor
from ..surroundings import Clock
from .base import RollupQuery

_EPOCH = datetime.fromtimestamp(0, UTC)


class Counters:
    """Counters of minutes and hours, and their sums."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._steps: dict[Resolution, dict[datetime, Rollups]] = {"minute": {}, "hour": {}}
        self._ever: Rollups = {}

    def add(self, minutes: Rollups) -> None:
        """Count what was tallied by the minute."""
        start: datetime | None = None
        for key, value in minutes.items():
            if key.start != start:
                start, hour = key.start, floor(key.start, STEP["hour"])
                by_minute, by_hour = self._step("minute", start), self._step("hour", hour)
            _count(by_minute, key, value)
            _count(by_hour, RollupKey(hour, *key[1:]), value)
            _count(self._ever, RollupKey(_EPOCH, *key[1:]), value)

    def read(self, query: RollupQuery) -> Rollups:
        """The counters that *query* asks for, summed per step."""
        summed: Rollups = {}
        for start, counted in self._within(query):
            shown = _EPOCH if query.step is None else floor(start, query.step)
            for key, value in counted.items():
                if query.func_name not in (None, key.func_name):
                    continue
                if query.queue in (None, key.queue):
                    names = ("", "") if query.together else (key.func_name, key.queue)
                    bucket = key.bucket if query.buckets else 0
                    _count(summed, RollupKey(shown, *names, key.event, bucket), value)
        return summed

    def _within(self, query: RollupQuery) -> Iterator[tuple[datetime, Rollups]]:
        if query.ever:
            yield _EPOCH, self._ever
            return
        for start, counted in self._steps[query.resolution].items():
            if query.since is not None and start < query.since:
                continue
            if query.until is None or start < query.until:
                yield start, counted

    def _step(self, resolution: Resolution, start: datetime) -> Rollups:
        steps = self._steps[resolution]
        if start not in steps:
            oldest = self._clock.now() - KEPT[resolution]
            for old in [known for known in steps if known < oldest]:
                del steps[old]
            steps[start] = {}
        return steps[start]


def _count(counted: Rollups, key: RollupKey, value: RollupValue) -> None:
    known = counted.get(key)
    if known is None:
        counted[key] = known = RollupValue()
    known.add(value)
