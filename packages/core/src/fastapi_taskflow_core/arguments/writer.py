"""From Python values to a tree that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence, Sized
from dataclasses import is_dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from .composites import dataclass_state, enum_state, model_state
from .leaves import LEAVES, Json, text
from .lookup import Function, name_of
from .refusal import Refusal
from .registry import Converter, Registry

_LEAVES = {leaf.kind: leaf for leaf in LEAVES}
_QUICK = frozenset({type(None), bool, int, float, str})
_CAREFUL = frozenset({type(None), bool})
_STRINGS = frozenset({str})
_BUILTINS = (int, float, str, bytes, list, tuple, dict, set, frozenset)
_SAFE_BITS = 2048
"""Ints up to here are below every limit Python allows for decimal digits (at least 640)."""

Step = Callable[[Any], str]


class Writer:
    """Writes the values of one payload.

    A quick writer hands scalars to the JSON encoder unseen, which refuses the rare odd one
    (a NaN, a huge int, a lone surrogate); then a careful one goes over it all and looks.
    """

    def __init__(
        self, registry: Registry, function: Function, depth: int, size: int, *, careful: bool
    ) -> None:
        self._registry, self._function = registry, function
        self._depth, self._level = depth, 0
        self._size, self._room = size, size
        self._quick = not careful
        self._plain = _CAREFUL if careful else _QUICK

    def write(self, value: object) -> Json:
        """The JSON form of *value*; raises `Refusal`."""
        kind = type(value)
        if kind in self._plain or _fits_json(value):
            return value
        leaf = _LEAVES.get(kind)
        if leaf is not None:
            stored = leaf.dump(value)
            return {"$": leaf.tag, "v": self.write(stored) if type(stored) is str else stored}
        if self._level == self._depth:
            raise Refusal(value, f"it is nested deeper than {self._depth} levels, or in itself")
        self._level += 1
        stored = _CONTAINERS.get(kind, Writer.composite)(self, value)
        self._level -= 1
        return stored

    def items(self, values: Sequence[object]) -> Sequence[Json]:
        """The JSON form of each, in order."""
        self._spend(values)
        if self._quick and self._plain.issuperset(map(type, values)):
            return values
        stored: list[Json] = []
        try:
            for value in values:
                stored.append(self.write(value))  # noqa: PERF401  its length is the failing index
        except Refusal as refusal:
            refusal.step(f"[{len(stored)}]")
            raise
        return stored

    def members(self, values: Collection[object]) -> list[Json]:
        """The JSON form of each; no Python expression reaches a member of a set."""
        self._spend(values)
        return [self.write(value) for value in values]

    def mapping(self, values: dict[object, object]) -> Json:
        """A JSON object where every key is a string and none could be taken for a tag."""
        if "$" not in values and _STRINGS.issuperset(map(type, values)):
            return self.named(values, _subscript)
        self._spend(values)
        return {"$": "dict", "v": [self._pair(*pair) for pair in values.items()]}

    def named(self, values: Mapping[Any, object], step: Step = str) -> Mapping[str, Json]:
        """A JSON object; *step* is how Python reaches a value by its name."""
        self._spend(values)
        if self._quick and self._plain.issuperset(map(type, values.values())):
            return values
        stored: dict[str, Json] = {}
        for name, value in values.items():
            stored[self._key(name)] = self._under(step, name, value)
        return stored

    def composite(self, value: object) -> Json:
        """What is stored part by part under the name of its class."""
        kind = type(value)
        name = name_of(kind)
        converter = self._registry.converters.get(name)
        if converter is not None and converter.kind is kind:
            return {"$": "registered", "c": name, "v": self.write(_dumped(converter, value))}
        tag, stored = self._parts(value)
        if self._registry.find(self._function, name) is not kind:
            raise Refusal(
                value,
                f"the function's annotations do not mention {name}, so it could not be found"
                f" again: annotate the parameter with it, or register({kind.__name__})",
            )
        return {"$": tag, "c": name, "v": stored}

    def _parts(self, value: object) -> tuple[str, Json]:
        if isinstance(value, Enum):
            return "enum", self.write(enum_state(value))
        if isinstance(value, BaseModel):
            names, parts = model_state(value)
            stored = {part: self.named(state, _attribute) for part, state in parts.items()}
            return "model", {"set": names, **stored}
        if is_dataclass(value) and not isinstance(value, type):
            return "dataclass", self.named(dataclass_state(value), _attribute)
        raise Refusal(value, _advice(value))

    def _pair(self, key: object, value: object) -> list[Json]:
        return [self._key(key), self._under(_subscript, key, value)]

    def _key(self, key: Any) -> Json:
        return self._under(_keys, key, key)

    def _under(self, step: Step, name: Any, value: object) -> Json:
        try:
            return self.write(value)
        except Refusal as refusal:
            refusal.step(step(name))
            raise

    def _spend(self, values: Sized) -> None:
        """Stop early where a small structure holds itself so often that it never ends."""
        self._room -= 2 * len(values)
        if self._room < 0:
            raise Refusal(values, f"as JSON it is larger than {self._size} bytes")


_CONTAINERS: dict[type, Callable[[Writer, Any], Json]] = {
    list: Writer.items,
    dict: Writer.mapping,
    tuple: lambda writer, value: {"$": "tuple", "v": writer.items(value)},
    set: lambda writer, value: {"$": "set", "v": writer.members(value)},
    frozenset: lambda writer, value: {"$": "frozenset", "v": writer.members(value)},
}


def _attribute(name: str) -> str:
    return f".{name}"


def _subscript(key: object) -> str:
    try:
        return f"[{key!r}]"
    except Exception:  # noqa: BLE001  a huge int has no repr, and others' may be broken
        return "[...]"


def _keys(_: object) -> str:
    return ".keys()"


def _fits_json(value: object) -> bool:
    """Whether a scalar, looked at with care, can stand in JSON as it is."""
    if type(value) is str:
        return text(value) is value
    if type(value) is int:
        return value.bit_length() <= _SAFE_BITS
    return type(value) is float and math.isfinite(value)


def _dumped(converter: Converter, value: object) -> object:
    try:
        return converter.dump(value)
    except Exception as error:
        raise Refusal(value, f"its registered dump raised {type(error).__name__}") from error


def _advice(value: object) -> str:
    for kind in _BUILTINS:
        if isinstance(value, kind):
            name = kind.__name__
            return f"a subclass of {name} would come back as a plain {name}: pass {name}(...)"
    if callable(value):
        return "functions and classes are not stored: pass a name and look it up in the task"
    return "this type is not stored: pass an id and load it in the task, or register() the type"
