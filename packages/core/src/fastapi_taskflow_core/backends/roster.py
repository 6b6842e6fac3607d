"""Which instances live, for backends in the memory of one process."""

from __future__ import annotations

from collections.abc import Sequence

from ..surroundings import Clock
from .base import Beat, InstanceInfo


class Roster:
    """The instances that beat, and the ones that were declared dead."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beats: dict[str, tuple[Beat, float]] = {}
        self._buried: set[str] = set()

    def beat(self, beat: Beat) -> bool:
        """Note a sign of life; False: the instance had been declared dead."""
        alive = beat.instance not in self._buried
        self._buried.discard(beat.instance)
        self._beats[beat.instance] = beat, self._clock.monotonic()
        return alive

    def leave(self, instance: str) -> None:
        """Forget the instance."""
        self._beats.pop(instance, None)
        self._buried.discard(instance)

    def bury(self) -> frozenset[str]:
        """Declare dead whoever does not live any more; returns the ones that do."""
        infos = self.list()
        for info in infos:
            if not info.living:
                del self._beats[info.instance]
                self._buried.add(info.instance)
        return frozenset(info.instance for info in infos if info.living)

    def list(self) -> Sequence[InstanceInfo]:
        """Every instance that is not declared dead, the longest started first."""
        now = self._clock.monotonic()
        infos = [_info(beat, now - at) for beat, at in self._beats.values()]
        return sorted(infos, key=lambda info: (info.started_at, info.instance))


def _info(beat: Beat, age: float) -> InstanceInfo:
    return InstanceInfo(
        instance=beat.instance,
        host=beat.host,
        pid=beat.pid,
        version=beat.version,
        started_at=beat.started_at,
        beat_age=age,
        living=age < beat.lease.total_seconds(),
        running=beat.running,
        waiting=beat.waiting,
        loop_lag=beat.loop_lag,
        draining=beat.draining,
        lease=beat.lease.total_seconds(),
    )
