"""A cron pattern in English, where it is one of the usual shapes."""

from __future__ import annotations

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_DAY_CODES = [day[:3].lower() for day in _DAYS]
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MONTH_CODES = [month[:3].lower() for month in _MONTHS]


def in_words(fields: str, text: str) -> str:
    """The five *fields* as a sentence; *text* where there is no short one."""
    minute, hour, day, month, weekday = fields.split()
    when = _time(minute, hour)
    on = _date(day, month, weekday)
    if when is None or on is None:
        return f"by cron {text}"
    if when.startswith("at "):
        return f"{on or 'every day'} {when}"
    return f"{when}, {on}" if on else when


def _time(minute: str, hour: str) -> str | None:
    if hour == "*":
        if minute == "*":
            return "every minute"
        if minute.startswith("*/") and minute[2:].isdigit() and 60 % int(minute[2:]) == 0:
            return "every minute" if minute == "*/1" else f"every {minute[2:]} minutes"
        if minute.isdigit():
            return "every hour" if minute == "0" else f"every hour at minute {minute}"
        return None
    if minute.isdigit() and all(part.isdigit() for part in hour.split(",")):
        return "at " + _and([f"{int(part):02}:{int(minute):02}" for part in hour.split(",")])
    return None


def _date(day: str, month: str, weekday: str) -> str | None:
    if day != "*" and weekday != "*":
        return None
    parts = []
    if weekday != "*":
        days = _weekdays(weekday.lower())
        if days is None:
            return None
        parts.append(days)
    if day != "*":
        if not (day in {"l", "L"} or day.isdigit()):
            return None
        parts.append("on the last day" if day in {"l", "L"} else f"on day {day}")
    if month == "*":
        return " ".join([*parts, "of every month"] if day != "*" else parts)
    name = _month(month.lower())
    if name is None:
        return None
    return " ".join([*parts, f"of {name}" if day != "*" else f"in {name}"])


def _weekdays(field: str) -> str | None:
    if field in {"1-5", "mon-fri"}:
        return "Monday to Friday"
    names = [_weekday(part) for part in field.split(",")]
    known = [name for name in names if name is not None]
    return "every " + _and(known) if len(known) == len(names) else None


def _weekday(part: str) -> str | None:
    if part.isdigit():
        return _DAYS[int(part) % 7]
    return _DAYS[_DAY_CODES.index(part)] if part in _DAY_CODES else None


def _month(part: str) -> str | None:
    if part.isdigit():
        return _MONTHS[int(part) - 1]
    return _MONTHS[_MONTH_CODES.index(part)] if part in _MONTH_CODES else None


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
