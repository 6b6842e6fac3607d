"""The time that a page of charts shows: one of the usual ranges, or any two times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from fastapi_taskflow_core.metrics import SeriesRange, Window, between, window

from ..api.moments import Moment, resolve
from . import formats
from .context import Address

RANGES: dict[SeriesRange, str] = {
    "15m": "15 min",
    "1h": "1 hour",
    "6h": "6 hours",
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the URL of a page asks for; ``since`` and ``until`` win over ``span``."""

    span: SeriesRange
    since: Moment
    until: Moment

    @property
    def zoomed(self) -> bool:
        """Whether it is a time of its own rather than one up to the present."""
        return self.since is not None or self.until is not None

    def window(self, now: datetime) -> Window:
        """The time to show."""
        if not self.zoomed:
            return window(self.span, now)
        until = resolve(self.until, now) or now
        since = resolve(self.since, now) or window(self.span, until).since
        return between(since, until, now)

    def words(self, shown: Window) -> str:
        """The time in words."""
        if not self.zoomed:
            return RANGES[self.span]
        return f"{formats.minute(shown.since)} to {formats.minute(shown.until)} UTC"

    def query(self, shown: Window) -> str:
        """The time as the address of a list says it."""
        if not self.zoomed:
            return urlencode({"since": self.span})
        return urlencode({"since": shown.since.isoformat(), "until": shown.until.isoformat()})

    def links(self, address: Address) -> Sequence[tuple[str, str, bool]]:
        """The usual ranges: words, link, and whether it is the one that is shown."""
        return [
            (
                words,
                address.href(range=name, since=None, until=None),
                name == self.span and not self.zoomed,
            )
            for name, words in RANGES.items()
        ]


async def _chosen(
    span: Annotated[SeriesRange, Query(alias="range")] = "1h",
    since: Annotated[Moment, Query()] = None,
    until: Annotated[Moment, Query()] = None,
) -> Chosen:
    return Chosen(span, since, until)


ChosenRange = Annotated[Chosen, Depends(_chosen)]
