"""Times as people write them into a filter: ISO 8601, or an age such as ``6h``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_AGE = re.compile(r"(\d{1,6})(s|m|min|h|d|w)")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_OLDEST = timedelta(days=36_500)


def parse(text: object) -> datetime | timedelta | None:
    """A moment (aware UTC; UTC is assumed where no offset stands) or an age.

    Raises:
        ValueError: it is neither.
    """
    if text is None or text == "":
        return None
    written = str(text).strip()
    if age := _AGE.fullmatch(written):
        return min(int(age[1]) * _UNITS[age[2]], _OLDEST)
    try:
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "must be an ISO 8601 time such as 2026-01-31T12:00:00Z, or an age such as 6h"
        ) from None


def resolve(moment: datetime | timedelta | None, now: datetime) -> datetime | None:
    """The time that is meant; an age counts back from *now*."""
    return now - moment if isinstance(moment, timedelta) else moment


Moment = Annotated[
    datetime | timedelta | None,
    BeforeValidator(parse),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}], "examples": ["6h"]}),
]
