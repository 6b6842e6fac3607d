"""The moments at which a schedule is due: pure, the same on every instance at any time.

Nothing here knows when a process started. Moments are aware UTC.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WINDOW = timedelta(seconds=1)


class Trigger(Protocol):
    """An endless or finite row of moments."""

    @property
    def expression(self) -> str:
        """The row as it was written."""

    @property
    def words(self) -> str:
        """The row in English."""

    @property
    def timezone(self) -> str:
        """IANA name of the zone that it speaks of."""

    def after(self, moment: datetime) -> datetime | None:
        """The first slot later than *moment*, None if there is none."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """The slots of another row from *start* to *end*, both included; None is no bound."""

    inner: Trigger
    start: datetime | None = None
    end: datetime | None = None

    @property
    def expression(self) -> str:
        """That of the other row."""
        return self.inner.expression

    @property
    def words(self) -> str:
        """Those of the other row."""
        return self.inner.words

    @property
    def timezone(self) -> str:
        """That of the other row."""
        return self.inner.timezone

    def after(self, moment: datetime) -> datetime | None:
        """The first slot later than *moment*, None if there is none."""
        if self.start is not None:
            moment = max(moment, self.start - _MICROSECOND)
        found = self.inner.after(moment)
        return None if found is None or (self.end is not None and found > self.end) else found


def upcoming(trigger: Trigger, moment: datetime, number: int) -> Sequence[datetime]:
    """The next *number* slots later than *moment*; fewer if there are no more."""
    found: list[datetime] = []
    while len(found) < number:
        slot = trigger.after(found[-1] if found else moment)
        if slot is None:
            break
        found.append(slot)
    return found


def newest(trigger: Trigger, since: datetime, until: datetime, number: int) -> Sequence[datetime]:
    """The last *number* slots in (since, until], the oldest first.

    Looks back in steps that double, so that years of a slot per second cost nothing.
    """
    window = _WINDOW
    while True:
        begin = max(since, until - window)
        found = deque(_between(trigger, begin, until), maxlen=number)
        if len(found) == number or begin == since:
            return tuple(found)
        window *= 2


def _between(trigger: Trigger, since: datetime, until: datetime) -> Iterator[datetime]:
    slot = trigger.after(since)
    while slot is not None and slot <= until:
        yield slot
        slot = trigger.after(slot)


def share(name: str, slot: datetime) -> float:
    """A number in [0, 1) by chance, but the same for this slot of this schedule everywhere."""
    digest = hashlib.blake2b(f"{name}\n{slot.isoformat()}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
