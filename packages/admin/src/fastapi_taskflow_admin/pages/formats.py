"""Numbers and times as people read them, and names as paths take them."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

MISSING = "—"
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def duration(seconds: float | None) -> str:
    """``840 µs``, ``12 ms``, ``3.4 s``, ``2 min 5 s``, ``1 d 4 h``; a dash for None."""
    if seconds is None:
        return MISSING
    if seconds < 0.000_001:
        return "0 s"
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return _long(round(seconds))


def span(seconds: float) -> str:
    """A round duration in its unit: ``0``, ``1.5 ms``, ``20 s``, ``1 min 30 s``, ``3 h``."""
    if seconds >= 60:
        return duration(seconds)
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= 0.9995 * size or (seconds and unit == "µs"):
            return f"{seconds / size:.3g} {unit}"
    return "0"


def roughly(seconds: float) -> str:
    """``20 s``, ``2 min``, ``3 h``: one figure, for what nobody knows exactly."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{max(1, round(seconds))} s"


def _long(seconds: int) -> str:
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        number, seconds = divmod(seconds, size)
        parts.append((number, unit))
    first = next(index for index, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)


def share(part: float) -> str:
    """A share of 0..1 in percent; 100 % only where nothing is missing."""
    percent = part * 100
    return f"{min(percent, 99.9):.1f} %" if 0 < part < 1 else f"{percent:.0f} %"


def count(number: int) -> str:
    """A number with thin spaces between its thousands."""
    return f"{number:,}".replace(",", "\u202f")


def number(value: float) -> str:
    """The same of any number, to the thousandth: ``1 250 000``, ``0.5``."""
    return f"{value:,.3f}".rstrip("0").rstrip(".").replace(",", "\u202f")


def clock(moment: datetime) -> str:
    """A moment to the second, UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def minute(moment: datetime) -> str:
    """A moment of the last weeks to the minute, UTC: ``4 Mar 09:05``."""
    return f"{moment.day} {_MONTHS[moment.month]} {moment.hour:02}:{moment.minute:02}"


def instant(moment: datetime) -> str:
    """A moment to the second as machines read it, UTC: ``2026-03-04T09:05:00Z``."""
    return f"{moment.isoformat()[:19]}Z"


def first_line(text: str, longest: int = 200) -> str:
    """The first line of a text, at most so many characters of it."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= longest else line[: longest - 1] + "…"


def segment(name: str) -> str:
    """A name as one part of a path, whatever is in it."""
    return quote(name, safe="")
