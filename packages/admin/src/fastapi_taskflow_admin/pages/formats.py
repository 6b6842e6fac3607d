"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import datetime

MISSING = "—"


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


def clock(moment: datetime) -> str:
    """A moment to the second, UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def first_line(text: str) -> str:
    """The first line of a text, at most 200 characters of it."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 200 else line[:199] + "…"
