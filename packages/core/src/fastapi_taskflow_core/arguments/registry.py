"""Classes made known by hand, for values that no annotation of the function announces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from .lookup import ClassIndex, Function, composite, name_of

T = TypeVar("T")


class Converter(NamedTuple):
    """How values of one registered class are taken apart and put together."""

    kind: type
    dump: Callable[[Any], object]
    load: Callable[[Any], object]


class Registry:
    """What stored names may stand for, besides the classes in a function's annotations."""

    def __init__(self) -> None:
        self.classes: dict[str, type] = {}
        self.converters: dict[str, Converter] = {}
        self._annotated = ClassIndex()

    def add(
        self,
        kind: type[T],
        dump: Callable[[T], object] | None,
        load: Callable[[Any], T] | None,
    ) -> None:
        """Make *kind* known; see ``TypedJsonCodec.register``."""
        if not isinstance(kind, type):
            raise TypeError(f"register() takes a class, got {type(kind).__name__} {kind!r}")
        if (dump is None) != (load is None):
            raise ValueError("register(): give both dump and load, or neither")
        if dump is not None and load is not None:
            self.converters[name_of(kind)] = Converter(kind, dump, load)
        elif composite(kind):
            self.classes[name_of(kind)] = kind
        else:
            raise TypeError(
                f"register(): {name_of(kind)} is no Enum, dataclass or pydantic model:"
                " say how with dump= and load="
            )

    def find(self, function: Function, name: str) -> type | None:
        """The composite class of that name, None where nobody announced it."""
        return self.classes.get(name) or self._annotated.classes(function).get(name)
