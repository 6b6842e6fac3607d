"""Checks of what a user wrote, where it was written.

Each returns the value or raises: `TypeError` for the wrong kind, `ValueError` for a value
that makes no sense. The sentence names the parameter, what would be right and what came.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from .wording import storable

T = TypeVar("T")

_TAGS, _TAG_LENGTH, _KEY_BYTES, _NAME_LENGTH = 32, 256, 65_536, 200


def wrong(name: str, expected: str, value: object) -> str:
    """The sentence for a parameter that got something else than *expected*."""
    return f"{name} must be {expected}, got {value!r} ({type(value).__name__})"


def flag(name: str, value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TypeError(wrong(name, "True or False", value))
    return value


def whole(name: str, value: object, *, least: int | None = None) -> int:
    """An int, of *least* or more."""
    expected = "an int" if least is None else f"an int of {least} or more"
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(wrong(name, expected, value))
    if least is not None and value < least:
        raise ValueError(wrong(name, expected, value))
    return value


def seconds(name: str, value: object, *, zero: bool = True) -> float:
    """A finite number of seconds, 0 or more (*zero* False: more than 0)."""
    expected = "a finite number of seconds, " + ("0 or more" if zero else "more than 0")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(wrong(name, expected, value))
    if not _finite(value) or value < 0 or (value == 0 and not zero):
        raise ValueError(wrong(name, expected, value))
    return float(value)


def number(name: str, value: object, *, least: float, most: float = math.inf) -> float:
    """A finite number within the bounds."""
    expected = f"a number of {least:g} or more" if most == math.inf else f"{least:g} to {most:g}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(wrong(name, expected, value))
    if not _finite(value) or not least <= value <= most:
        raise ValueError(wrong(name, expected, value))
    return float(value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int that no float can hold
        return False


def one_of(name: str, value: T, choices: Iterable[T]) -> T:
    """One of the choices."""
    known = tuple(choices)
    if value not in known:
        raise ValueError(wrong(name, "one of " + ", ".join(map(repr, known)), value))
    return value


def text(name: str, value: object, *, longest: int = _NAME_LENGTH) -> str:
    """A string that is not empty."""
    if not isinstance(value, str):
        raise TypeError(wrong(name, "a string", value))
    if not value.strip() or len(value) > longest or storable(value) != value:
        raise ValueError(wrong(name, f"a string of 1 to {longest} characters of Unicode", value))
    return value


def function(name: str, value: object) -> Callable[..., object]:
    """Something that can be called."""
    if not callable(value):
        raise TypeError(wrong(name, "a function", value))
    return value


def exceptions(name: str, value: object) -> tuple[type[BaseException], ...]:
    """An exception type, or several of them."""
    types = value if isinstance(value, tuple | list | set | frozenset) else (value,)
    for kind in types:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(wrong(name, "an exception type or a tuple of them", kind))
    return tuple(types)


def moment(name: str, value: object) -> datetime:
    """An aware datetime, as UTC."""
    expected = "an aware datetime, such as datetime.now(UTC) + timedelta(hours=1)"
    if not isinstance(value, datetime):
        raise TypeError(wrong(name, expected, value))
    if value.utcoffset() is None:
        raise ValueError(wrong(name, expected, value))
    return value.astimezone(UTC)


def key(name: str, value: object) -> str:
    """An idempotency key: text of 1 to 65,536 bytes as UTF-8."""
    expected = f"a string of 1 to {_KEY_BYTES:,} bytes of UTF-8"
    if not isinstance(value, str):
        raise TypeError(wrong(name, expected, value))
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError(wrong(name, expected, value)) from None
    if not 1 <= size <= _KEY_BYTES:
        raise ValueError(f"{name} must be {expected}, got {size:,}")
    return value


def tags(name: str, value: object) -> dict[str, str]:
    """At most 32 labels; names and values are text, numbers become text."""
    expected = "a mapping of text to text or numbers, such as {'tenant': 'acme'}"
    if not isinstance(value, Mapping):
        raise TypeError(wrong(name, expected, value))
    if len(value) > _TAGS:
        raise ValueError(f"{name} must have at most {_TAGS} entries, got {len(value)}")
    checked: dict[str, str] = {}
    for label, content in value.items():
        if not isinstance(label, str):
            raise TypeError(wrong(name, expected, label))
        if not isinstance(content, str | int | float):
            raise TypeError(wrong(f"{name}[{label!r}]", "text or a number", content))
        if not label or "=" in label or max(len(label), len(str(content))) > _TAG_LENGTH:
            raise ValueError(
                f"{name}[{label!r}] must have a name without '=' and at most"
                f" {_TAG_LENGTH} characters on either side"
            )
        checked[storable(label)] = storable(str(content))
    return checked
