"""Charts over the counters of a backend, whose older steps are not counted with every look.

A page that stays open asks for the same chart every few seconds, and hardly anything is ever
added to what is past: late is only what was written late, and the start of what ran for long.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from .backends.base import RollupQuery, TaskReader
from .metrics import Drawing, Subject, Window
from .rollups import RollupKey, RollupValue, floor
from .surroundings import Clock

SETTLED = timedelta(minutes=1)
"""Steps that ended longer ago are counted again after as long, not with every look."""

_BITE = 24
"""Steps that are counted at once: in between the event loop has other turns."""
_MOST = 32
"""Charts that are remembered."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which chart."""

    shown: Window
    func_name: str | None = None
    queue: str | None = None
    subject: Subject | None = None
    """Of each function or queue one of its own, by name; else one of all, without a name."""
    stepped: bool = True
    """Whether the steps are to be told apart, or only their sum is wanted."""


Drawings = Mapping[str, Drawing]


@dataclass(frozen=True, slots=True)
class _Past:
    """What was counted before a step, and when."""

    until: datetime
    counted_at: datetime
    drawings: Drawings


class Charts:
    """Draws charts, and remembers what hardly changes of them for a minute."""

    def __init__(self, reader: TaskReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._past: dict[Wanted, _Past] = {}

    async def drawn(self, wanted: Wanted) -> Drawings:
        """The drawings of what is wanted, by name; none where nothing was counted."""
        past = await self._past_of(wanted)
        present = await self._counted(wanted, past.until, wanted.shown.until)
        return _joined(past.drawings, present)

    async def _past_of(self, wanted: Wanted) -> _Past:
        now, shown = self._clock.now(), wanted.shown
        until = min(shown.until, max(shown.since, floor(now - SETTLED, shown.step)))
        past = self._past.get(wanted)
        if past is None or past.until != until or not _fresh(past, now):
            past = _Past(until, now, await self._counted(wanted, shown.since, until))
            self._remember(wanted, past, now)
        return past

    def _remember(self, wanted: Wanted, past: _Past, now: datetime) -> None:
        self._past = {name: each for name, each in self._past.items() if _fresh(each, now)}
        if len(self._past) >= _MOST:
            self._past.clear()
        self._past[wanted] = past

    async def _counted(self, wanted: Wanted, since: datetime, until: datetime) -> Drawings:
        drawings: defaultdict[str, Drawing] = defaultdict(Drawing)
        for bite in _bites(since, until, wanted.shown.step * _BITE):
            query = RollupQuery(
                wanted.shown.resolution,
                *bite,
                wanted.shown.step if wanted.stepped else None,
                wanted.func_name,
                wanted.queue,
                together=wanted.subject is None,
            )
            for name, part in _parts(await self._reader.rollups(query), wanted.subject).items():
                drawings[name].add(part)
        return drawings


def _fresh(past: _Past, now: datetime) -> bool:
    return past.counted_at <= now < past.counted_at + SETTLED


def _bites(
    since: datetime, until: datetime, longest: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    while since < until:
        yield since, min(until, since + longest)
        since += longest


def _parts(
    counted: Mapping[RollupKey, RollupValue], subject: Subject | None
) -> Mapping[str, Mapping[RollupKey, RollupValue]]:
    if subject is None:
        return {"": counted}
    parts: defaultdict[str, dict[RollupKey, RollupValue]] = defaultdict(dict)
    for key, value in counted.items():
        parts[getattr(key, subject)][key] = value
    return parts


def _joined(past: Drawings, present: Drawings) -> Drawings:
    """The drawings of both, by name, in alphabetical order."""
    nothing = Drawing()
    names = sorted({*past, *present})
    return {name: past.get(name, nothing).extended(present.get(name, nothing)) for name in names}
