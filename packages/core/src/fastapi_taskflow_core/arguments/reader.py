"""From the JSON tree back to Python values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from ..errors import PayloadError
from .composites import make_dataclass, make_enum, make_model
from .leaves import LEAVES, Json
from .lookup import Function
from .registry import Registry


class Reader:
    """Reads the values of one payload. Damaged ones may raise anything."""

    def __init__(self, registry: Registry, function: Function) -> None:
        self._registry, self._function = registry, function

    def read(self, stored: Json) -> Any:
        """The value that was written like this."""
        if isinstance(stored, list):
            return self.items(stored)
        if not isinstance(stored, dict):
            return stored
        if "$" not in stored:
            return self.named(stored)
        tag = stored["$"]
        load = _LOADERS.get(tag)
        if load is None:
            raise PayloadError(f"unknown kind {tag!r}: was it written by a newer version?")
        return load(self, stored)

    def items(self, stored: list[Json]) -> list[Any]:
        """Each value, in order."""
        return [self.read(value) for value in stored]

    def named(self, stored: dict[str, Json]) -> dict[str, Any]:
        """Each value under its name."""
        return {name: self.read(value) for name, value in stored.items()}

    def pairs(self, stored: list[Json]) -> dict[Any, Any]:
        """A dict with keys of any kind."""
        return {self.read(key): self.read(value) for key, value in stored}

    def enum(self, name: str, stored: Json) -> Enum:
        """A member of the Enum class of that name."""
        kind = self._class(name)
        if not issubclass(kind, Enum):
            raise PayloadError(f"{name} is no longer an Enum")
        try:
            return make_enum(kind, self.read(stored))
        except KeyError:
            raise PayloadError(f"{name} no longer has the stored member") from None

    def dataclass(self, name: str, stored: Json) -> object:
        """An instance of the dataclass of that name."""
        kind = self._class(name)
        if not is_dataclass(kind):
            raise PayloadError(f"{name} is no longer a dataclass")
        return make_dataclass(kind, self.named(stored))

    def model(self, name: str, stored: Json) -> BaseModel:
        """An instance of the pydantic model of that name."""
        kind = self._class(name)
        if not issubclass(kind, BaseModel):
            raise PayloadError(f"{name} is no longer a pydantic model")
        return make_model(kind, self.named(stored))

    def registered(self, name: str, stored: Json) -> object:
        """A value that its registered converter puts together."""
        converter = self._registry.converters.get(name)
        if converter is None:
            raise PayloadError(f"{name} is not registered with dump= and load= any more")
        return converter.load(self.read(stored))

    def _class(self, name: str) -> type:
        kind = self._registry.find(self._function, name)
        if kind is None:
            raise PayloadError(
                f"{name} is neither in the function's annotations nor registered any more"
            )
        return kind


def _leaf(load: Callable[[Json], object]) -> Callable[[Reader, Json], object]:
    return lambda _, stored: load(stored["v"])


_LOADERS: dict[str, Callable[[Reader, Json], object]] = {
    **{leaf.tag: _leaf(leaf.load) for leaf in LEAVES},
    "dict": lambda reader, stored: reader.pairs(stored["v"]),
    "tuple": lambda reader, stored: tuple(reader.items(stored["v"])),
    "set": lambda reader, stored: set(reader.items(stored["v"])),
    "frozenset": lambda reader, stored: frozenset(reader.items(stored["v"])),
    "enum": lambda reader, stored: reader.enum(stored["c"], stored["v"]),
    "dataclass": lambda reader, stored: reader.dataclass(stored["c"], stored["v"]),
    "model": lambda reader, stored: reader.model(stored["c"], stored["v"]),
    "registered": lambda reader, stored: reader.registered(stored["c"], stored["v"]),
}
