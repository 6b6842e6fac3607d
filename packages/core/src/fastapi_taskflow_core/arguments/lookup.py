"""Which classes a stored payload may name: those the function's own annotations mention.

Nothing is ever imported because stored text says so.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel

Function = Callable[..., object]


def name_of(kind: type) -> str:
    """The qualified name a class is stored under."""
    return f"{kind.__module__}.{kind.__qualname__}"


def composite(kind: type) -> bool:
    """Whether values of the class are stored part by part: Enum, dataclass, pydantic model."""
    return issubclass(kind, (Enum, BaseModel)) or is_dataclass(kind)


class ClassIndex:
    """The composite classes of each function, found once and remembered while it lives."""

    def __init__(self) -> None:
        self._found: WeakKeyDictionary[Function, dict[str, type]] = WeakKeyDictionary()

    def classes(self, function: Function) -> dict[str, type]:
        """Qualified name -> class, over parameters and return value, generics and fields too."""
        function = _plain(function)
        try:
            found = self._found.get(function)
        except TypeError:  # some that are written in C take no weak reference
            return {name_of(kind): kind for kind in _mentioned(function)}
        if found is None:
            found = self._found[function] = {name_of(kind): kind for kind in _mentioned(function)}
        return found


def _plain(function: Function) -> Function:
    """The function behind partials, decorators, bound methods and callable objects."""
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = type(function).__call__
    function = inspect.unwrap(function)
    return typing.cast("Function", getattr(function, "__func__", function))


def _mentioned(function: Function) -> set[type]:
    seen: set[int] = set()
    found: set[type] = set()
    todo: list[object] = list(_hints(function))
    kept_alive: list[object] = []
    while todo:
        hint = todo.pop()
        if id(hint) in seen:
            continue
        seen.add(id(hint))
        kept_alive.append(hint)
        if isinstance(hint, type) and composite(hint):
            found.add(hint)
        elif isinstance(hint, Enum):  # inside a Literal
            found.add(type(hint))
        todo.extend(_parts(hint))
    return found


def _parts(hint: object) -> Iterator[object]:
    """What an annotation mentions directly."""
    yield from typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin is not None:
        yield origin
    if isinstance(hint, type):
        if issubclass(hint, BaseModel):
            for field in hint.model_fields.values():
                yield field.annotation
        elif is_dataclass(hint) or typing.is_typeddict(hint):
            yield from _hints(hint)
    elif isinstance(hint, typing.TypeVar):
        yield from (hint.__bound__, *hint.__constraints__)
    elif isinstance(hint, typing.NewType):
        yield hint.__supertype__
    elif hasattr(hint, "__value__"):  # an alias made by the ``type`` statement
        yield hint.__value__


def _hints(owner: Any) -> list[object]:
    try:
        return list(typing.get_type_hints(owner, include_extras=True).values())
    except Exception:  # noqa: BLE001  an annotation may be any expression
        return [hint for name in _raw(owner) for hint in _hint(owner, name)]


def _raw(owner: Any) -> dict[str, object]:
    try:
        return dict(inspect.get_annotations(owner))
    except Exception:  # noqa: BLE001  they are evaluated here from Python 3.14 on
        return {}


def _hint(owner: Any, name: str) -> list[object]:
    """One annotation where not all can be resolved, as with imports for type checkers only."""
    alone = SimpleNamespace(__annotations__={name: _raw(owner)[name]})
    namespace = getattr(owner, "__globals__", None) or vars(inspect.getmodule(owner) or alone)
    try:
        return list(typing.get_type_hints(alone, namespace, include_extras=True).values())
    except Exception:  # noqa: BLE001  this one stays unknown
        return []
