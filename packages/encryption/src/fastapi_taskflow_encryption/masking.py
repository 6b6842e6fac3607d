"""Hiding the values of arguments in what a task says: log lines, and errors for observers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr

STARS = "***"
_SHORTEST_TEXT = 4
_SHORTEST_NUMBER = 6
_MOST_VALUES = 10_000


class ValueMask:
    """Replaces by ``***`` texts of four characters or more and numbers of six digits or more.

    A function of text; it looks into the values when it is first needed.
    """

    def __init__(self, values: object) -> None:
        self._values = values

    def __call__(self, text: str) -> str:
        """The text without the values."""
        pattern = self._pattern
        return text if pattern is None else pattern.sub(STARS, text)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        forms = {form for leaf in _some(_leaves(self._values)) for form in _forms(leaf)}
        if not forms:
            return None
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        return re.compile("|".join(map(re.escape, longest_first)))


def _some(leaves: Iterator[str]) -> Iterator[str]:
    for _, leaf in zip(range(_MOST_VALUES), leaves, strict=False):
        yield leaf


def _forms(text: str) -> tuple[str, ...]:
    """The text as it is, and as Python and JSON quote it."""
    return text, repr(text)[1:-1], json.dumps(text)[1:-1]


def _leaves(value: Any) -> Iterator[str]:
    inside = _inside(value)
    if inside is not None:
        for each in inside:
            yield from _leaves(each)
        return
    if value is None or isinstance(value, bool):
        return
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    if isinstance(value, int | float):
        long_enough = sum(map(str.isdigit, text)) >= _SHORTEST_NUMBER
    else:
        long_enough = len(text) >= _SHORTEST_TEXT
    if long_enough:
        yield text


def _inside(value: Any) -> Iterable[Any] | None:
    """The values that a value consists of; None if it is a leaf."""
    match value:
        case Mapping():
            return value.values()
        case list() | tuple() | set() | frozenset():
            return value
        case Enum():
            return (value.value,)
        case SecretStr() | SecretBytes():
            return (value.get_secret_value(),)
        case BaseModel():
            return vars(value).values()
        case _ if is_dataclass(value):
            return [getattr(value, each.name) for each in fields(value)]
        case _:
            return None
