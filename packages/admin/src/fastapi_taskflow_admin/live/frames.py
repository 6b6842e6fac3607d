"""Frames of a stream: what happened, gathered and encoded, without I/O.

The format is that of server-sent events in the HTML standard.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from fastapi_taskflow_core.counts import Counts
from fastapi_taskflow_core.engine.feed import Change, Happening
from fastapi_taskflow_core.records import TaskStatus

MOST_IDS = 100
ID_LENGTH = 12
"""A frame names a task by the last characters of its id: enough to tell what a page shows."""

RING_FRAMES, RING_BYTES = 120, 256 * 1024


def frame(event: str, data: Mapping[str, object], frame_id: str = "") -> bytes:
    """One event of a stream; one with an id can be resumed from."""
    named = f"id: {frame_id}\n" if frame_id else ""
    told = json.dumps(data, separators=(",", ":"))
    return f"{named}event: {event}\ndata: {told}\n\n".encode()


class Tally(NamedTuple):
    """What happened between two frames."""

    happened: int
    created: int
    ids: tuple[str, ...]
    more: bool
    """Whether more tasks are concerned than those named."""
    moved: Counter[TaskStatus]
    """By how many tasks each status has grown or shrunk."""


class Tallying:
    """Gathers what the feed publishes, in bounded memory."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._happened = 0
        self._ids: dict[str, None] = {}
        self._more = False
        self._moves: defaultdict[tuple[TaskStatus | None, TaskStatus], int] = defaultdict(int)

    def hear(self, happening: Happening) -> None:
        """Take it in: the application waits meanwhile, so all else is left to `take`."""
        self._happened += 1
        if isinstance(happening, Change):
            self._moves[happening.previous, happening.task.status] += 1
        if not self._more:
            self._name(happening.task.task_id[-ID_LENGTH:])

    def _name(self, name: str) -> None:
        if name in self._ids or len(self._ids) < MOST_IDS:
            self._ids[name] = None
        else:
            self._more = True

    def take(self) -> Tally:
        """What happened since the last time."""
        created, moved = 0, Counter[TaskStatus]()
        for (previous, status), times in self._moves.items():
            moved[status] += times
            if previous is None:
                created += times
            else:
                moved[previous] -= times
        taken = Tally(self._happened, created, tuple(self._ids), self._more, moved)
        self._begin()
        return taken


def elsewhere(tally: Tally, before: Counts, after: Counts) -> bool:
    """Whether the counts moved by more than happened here: other instances did something."""
    return any(after[each] - before[each] != tally.moved[each] for each in TaskStatus)


REFRESHES = 10
"""How often in a second all pages together read again what they show."""


def gap(clients: int) -> float:
    """Seconds that each of so many pages lets pass between two refreshes, so that all of them
    together cost no more than a few do.
    """
    return max(1.0, clients / REFRESHES)


def tick(
    tally: Tally, now: datetime, counts: Counts | None, health: str, clients: int
) -> dict[str, object]:
    """What so many pages are told, at most every second: which of their rows to read again."""
    return {
        "t": now.isoformat(timespec="milliseconds"),
        "n": tally.happened,
        "new": tally.created,
        "ids": tally.ids,
        "more": tally.more,
        "counts": None if counts is None else {each.value: n for each, n in counts.items()},
        "health": health,
        "gap": gap(clients),
    }


class Ring:
    """The last frames, for whoever was away for a moment.

    Args:
        epoch: Tells this ring from that of another process, or of the same one before.
    """

    def __init__(self, epoch: str) -> None:
        self.seq = 0
        self._epoch = epoch
        self._kept: deque[bytes] = deque()
        self._bytes = 0

    @property
    def last_id(self) -> str:
        """The id of the latest frame."""
        return f"{self._epoch}-{self.seq}"

    def add(self, event: str, data: Mapping[str, object]) -> bytes:
        """Encode the next frame, keep it, and return it."""
        self.seq += 1
        made = frame(event, data, self.last_id)
        self._kept.append(made)
        self._bytes += len(made)
        while len(self._kept) > RING_FRAMES or self._bytes > RING_BYTES:
            self._bytes -= len(self._kept.popleft())
        return made

    def since(self, last_id: str) -> list[bytes] | None:
        """What came after the frame of that id; None if that is not known any more."""
        epoch, _, number = last_id.rpartition("-")
        if epoch != self._epoch or not (number.isascii() and number.isdecimal()):
            return None
        missed = self.seq - int(number[:15])
        if not 0 <= missed <= len(self._kept):
            return None
        return list(self._kept)[len(self._kept) - missed :]
