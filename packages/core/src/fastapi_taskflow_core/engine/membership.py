"""This instance among those that share the backend: it beats, and others believe it alive."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from ..__about__ import __version__
from ..backends.base import Beat, Pulse
from ..backends.guarded import GuardedBackend
from ..surroundings import Surroundings
from .heartbeat import Heartbeat
from .store_clock import StoreClock

logger = logging.getLogger(__name__)

_BEATS_PER_LEASE = 3


class Load(NamedTuple):
    """What the instance tells of itself."""

    running: int
    waiting: int
    draining: bool


class Membership:
    """Beats for the instance, and hears what the backend answers.

    Args:
        store: The backend; a beat of an instance that nobody else sees needs no thread.
        instance: The id of the instance.
        lease: Seconds without a beat after which others take over.
        load: What to tell; called in the heartbeat's thread.
        taken_for_dead: Called on the event loop when others may have taken tasks of ours.
        asked_to_cancel: Called on the event loop with the ids of tasks that others want
            cancelled.
    """

    def __init__(
        self,
        store: GuardedBackend,
        instance: str,
        lease: float,
        surroundings: Surroundings,
        load: Callable[[], Load],
        taken_for_dead: Callable[[], None],
        asked_to_cancel: Callable[[frozenset[str]], None],
    ) -> None:
        self._store = store
        self._instance = instance
        self._lease = lease
        self._clock = surroundings.clock
        self._load = load
        self._taken_for_dead = taken_for_dead
        self._asked_to_cancel = asked_to_cancel
        self._heartbeat: Heartbeat | None = None
        self._store_clock = StoreClock(surroundings.clock)
        self.now: Callable[[], datetime] = self._store_clock.now
        """What the backend's clock shows."""
        self._started_at = self._clock.now()
        self._last_beat = self._clock.monotonic()

    async def join(self) -> None:
        """Return when the instance has beaten, or failed to, for the first time."""
        self._last_beat = self._clock.monotonic()
        if self._store.capabilities.shared:
            self._heartbeat = Heartbeat(
                self._store.another(),
                self._beat,
                self._answered,
                self._lease / _BEATS_PER_LEASE,
                self._clock.monotonic,
            )
            await self._heartbeat.start()

    async def leave(self) -> None:
        """Say goodbye: nobody is to wait for the lease to run out. Safe before `join`."""
        if self._heartbeat is not None:
            await self._heartbeat.stop()
        elif not self._store.capabilities.shared:
            await self._store.leave(self._instance)

    async def be_seen(self) -> None:
        """Where nobody else sees the data, nobody may be taken for dead: one beat is for ever."""
        if not self._store.capabilities.shared:
            await self._store.beat(self._beat()._replace(lease=timedelta.max))

    def hurry(self) -> None:
        """Let the next beat come at once."""
        if self._heartbeat is not None:
            self._heartbeat.hurry()

    def trusted(self) -> bool:
        """Whether others still believe us alive: our last beat is well within the lease."""
        if self._heartbeat is None:
            return True
        beat = self._lease / _BEATS_PER_LEASE
        return self._clock.monotonic() - self._last_beat < self._lease - beat

    def _answered(self, pulse: Pulse, sent: float, answered: float) -> None:
        self._store_clock.heard(pulse.now, sent, answered)
        if not pulse.alive:
            logger.warning("this instance was taken for dead; looking at what is still its own")
            self._taken_for_dead()
        self._asked_to_cancel(pulse.cancels)
        self._last_beat = self._clock.monotonic()

    def _beat(self) -> Beat:
        """Made in the heartbeat's thread: reads only what is safe to read there."""
        load = self._load()
        silent = self._clock.monotonic() - self._last_beat
        return Beat(
            instance=self._instance,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            started_at=self._started_at,
            lease=timedelta(seconds=self._lease),
            running=load.running,
            waiting=load.waiting,
            loop_lag=max(0.0, silent - self._lease / _BEATS_PER_LEASE),
            draining=load.draining,
        )
