"""Instances: their beats, and which of them are dead."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi_taskflow_core.backends.base import Beat, InstanceInfo, Pulse
from fastapi_taskflow_core.backends.forms import micros, moment
from fastapi_taskflow_core.backends.presence import Presence

from . import statements
from .bulk import insert
from .connection import Clock, Connection, Row, Tick, Value
from .schema import INSTANCES
from .statements import Statements

_BURIED_KEPT = 86_400_000_000
"""Microseconds for which a dead instance is remembered, in case it is only frozen."""
_SAYS = tuple((column.name, "{new}") for column in INSTANCES.columns if column.name != "instance")


class Instances:
    """The instances of one database."""

    def __init__(self, sql: Statements, clock: Clock, presence: Presence) -> None:
        self._sql = sql
        self._clock = clock
        self._presence = presence

    def beat(self, connection: Connection, beat: Beat) -> Pulse:
        """Note a sign of life."""
        self._presence.hold(beat.instance)
        was_dead = connection.fetch(self._sql.render(statements.IS_DEAD), (beat.instance,))
        row = _to_row(beat, self._clock.tick(connection))
        insert(self._sql, connection, INSTANCES, [row], tail=self._sql.merge(INSTANCES, _SAYS))
        cancels = connection.fetch(self._sql.render(statements.CANCELS), (beat.instance,))
        return Pulse(
            now=moment(self._clock.now(connection)),
            alive=not (was_dead and was_dead[0][0]),
            cancels=frozenset(task_id for (task_id,) in cancels),
        )

    def leave(self, connection: Connection, instance: str) -> None:
        """Forget the instance."""
        connection.execute(self._sql.render(statements.FORGET_INSTANCE), (instance,))
        self._presence.release(instance)

    def known(self, connection: Connection) -> list[InstanceInfo]:
        """Every instance not buried, the longest started first."""
        tick = self._clock.tick(connection)
        rows = connection.fetch(self._sql.render(statements.INSTANCES))
        return [self._info(row, tick) for row in rows]

    def bury(self, connection: Connection) -> list[str]:
        """Mark the dead and return them; forget those that are dead for long."""
        tick = self._clock.tick(connection)
        bury = self._sql.render(statements.BURY_INSTANCE)
        dead = []
        for row in connection.fetch(self._sql.render(statements.INSTANCES)):
            info, said = self._info(row, tick), row[-2:]
            # Unless it was heard of meanwhile: then it would not learn of it.
            if not info.living and connection.execute(bury, (info.instance, *said)):
                dead.append(info.instance)
        forget = self._sql.render(statements.FORGET_BURIED)
        connection.execute(forget, (tick.era, tick.moment - _BURIED_KEPT))
        return dead

    def dead_owners(self, connection: Connection) -> Sequence[str]:
        """Owners of unfinished tasks that left or are buried."""
        rows = connection.fetch(self._sql.render(statements.INSTANCES))
        there = {row[0] for row in rows}
        return [owner for owner in self._owners(connection) if owner not in there]

    def _owners(self, connection: Connection) -> list[str]:
        # One step along the index for each owner, however many tasks they have.
        first = self._sql.render(statements.FIRST_OWNER)
        owners: list[str] = []
        while (found := connection.fetch(first, (owners[-1] if owners else "",))[0][0]) is not None:
            owners.append(found)
        return owners

    def _info(self, row: Row, tick: Tick) -> InstanceInfo:
        (
            instance, host, pid, version, started_at, running, waiting, loop_lag,
            draining, lease, beat_at, era,
        ) = row  # fmt: skip
        age = max(0, tick.moment - beat_at)
        living = era == tick.era and age < lease and not self._presence.gone(instance)
        return InstanceInfo(
            instance, host, pid, version, moment(started_at), age / 1e6, living,
            running, waiting, loop_lag, bool(draining), lease / 1e6,
        )  # fmt: skip


def _to_row(beat: Beat, tick: Tick) -> tuple[Value, ...]:
    return (
        beat.instance,
        beat.host,
        beat.pid,
        beat.version,
        micros(beat.started_at),
        beat.running,
        beat.waiting,
        beat.loop_lag,
        1 if beat.draining else 0,
        int(beat.lease.total_seconds() * 1e6),
        tick.moment,
        tick.era,
        0,
    )
