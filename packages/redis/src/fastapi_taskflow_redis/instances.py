"""Instances: their beats, and which of them live."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi_taskflow_core.backends.base import Beat, InstanceInfo, Pulse
from fastapi_taskflow_core.backends.forms import micros, moment
from fastapi_taskflow_core.backends.presence import Presence

from .connection import Server
from .keys import Keys
from .rollups import pairs
from .rows import decoded, encoded, packed, unpacked


class Instances:
    """The instances under one prefix."""

    def __init__(self, server: Server, keys: Keys, presence: Presence) -> None:
        self._server = server
        self._keys = keys
        self._presence = presence

    async def beat(self, beat: Beat) -> Pulse:
        """Note a sign of life."""
        self._presence.hold(beat.instance)
        said = packed(
            [
                beat.host,
                beat.pid,
                beat.version,
                micros(beat.started_at),
                beat.running,
                beat.waiting,
                beat.loop_lag,
                beat.draining,
            ]
        )
        lease = int(beat.lease.total_seconds() * 1e6)
        now, was_dead, *cancels = await self._server.run(
            "beat", encoded(beat.instance), said, lease
        )
        return Pulse(moment(int(now)), not was_dead, frozenset(map(decoded, cancels)))

    async def leave(self, instance: str) -> None:
        """Forget the instance."""
        name = encoded(instance)
        await self._server.send(
            ("HDEL", self._keys("instances"), name),
            ("HDEL", self._keys("beats"), name),
            ("ZREM", self._keys("dead"), name),
            ("DEL", self._keys("claimed", instance)),
        )
        self._presence.release(instance)

    async def known(self) -> Sequence[InstanceInfo]:
        """Every instance not declared dead, the longest started first."""
        time, said, beats = await self._server.send(
            ("TIME",),
            ("HGETALL", self._keys("instances")),
            ("HGETALL", self._keys("beats")),
        )
        now = int(time[0]) * 1_000_000 + int(time[1])
        told = pairs(said)
        infos = [
            self._info(decoded(name), told[name], now, *map(int, beat.split()))
            for name, beat in pairs(beats).items()
        ]
        return sorted(infos, key=lambda info: (info.started_at, info.instance))

    def _info(self, instance: str, said: bytes, now: int, beat_at: int, lease: int) -> InstanceInfo:
        host, pid, version, started_at, running, waiting, loop_lag, draining = unpacked(said)
        age = max(0, now - beat_at)
        return InstanceInfo(
            instance,
            host,
            pid,
            version,
            moment(started_at),
            age / 1e6,
            age < lease and not self._presence.gone(instance),
            running,
            waiting,
            loop_lag,
            draining,
            lease / 1e6,
        )
