"""Taking dataclasses, pydantic models and Enums apart and putting them together again.

Neither ``__init__`` nor validators run when they come back: a value that was stored is
restored as it was, not made anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum, Flag
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from ..errors import PayloadError
from .lookup import name_of
from .refusal import Refusal


def dataclass_state(value: object) -> dict[str, object]:
    """Fields and other instance attributes, except what ``cached_property`` can make again."""
    kind = type(value)
    if kind.__new__ is not object.__new__:
        raise Refusal(
            value, "a dataclass that is made by __new__ needs register() with dump= and load="
        )
    state = {
        field.name: getattr(value, field.name)
        for field in dataclasses.fields(value)  # type: ignore[arg-type]  # only dataclasses come
        if hasattr(value, field.name)
    }
    others = {
        name: part
        for name, part in getattr(value, "__dict__", {}).items()
        if not isinstance(getattr(kind, name, None), cached_property)
    }
    return state | others


def make_dataclass(kind: type, state: Mapping[str, object]) -> object:
    """An instance with these attributes; fields added since then get their defaults."""
    value: object = object.__new__(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name, field in fields.items():
        if name in state:
            object.__setattr__(value, name, state[name])
        elif field.default is not dataclasses.MISSING:
            object.__setattr__(value, name, field.default)
        elif field.default_factory is not dataclasses.MISSING:
            object.__setattr__(value, name, field.default_factory())
        elif field.init:
            raise _missing(kind, name)
    others = getattr(value, "__dict__", {})
    others.update({name: state[name] for name in state.keys() - fields.keys()})
    return value


def model_state(value: BaseModel) -> tuple[list[str], dict[str, dict[str, object]]]:
    """Which fields were set, and what pydantic keeps of a model: fields, extras, private."""
    state = value.__getstate__()
    names = type(value).model_fields
    parts = {"fields": {name: part for name, part in state["__dict__"].items() if name in names}}
    for part in ("extra", "private"):
        kept = state.get(f"__pydantic_{part}__")
        if kept is not None:
            parts[part] = kept
    return sorted(state["__pydantic_fields_set__"]), parts


def make_model(kind: type[BaseModel], state: Mapping[str, Any]) -> BaseModel:
    """A model in this state; fields added since then get their defaults, removed ones go."""
    fields: dict[str, object] = {}
    for name, field in kind.model_fields.items():
        if name in state["fields"]:
            fields[name] = state["fields"][name]
        elif field.is_required():
            raise _missing(kind, name)
        else:
            fields[name] = field.get_default(call_default_factory=True, validated_data=fields)
    model = kind.__new__(kind)
    model.__setstate__(
        {
            "__dict__": fields,
            "__pydantic_fields_set__": set(state["set"]) - (state["fields"].keys() - fields.keys()),
            "__pydantic_extra__": state.get("extra"),
            "__pydantic_private__": state.get("private"),
        }
    )
    return model


def enum_state(value: Enum) -> object:
    """The member's name; for flags, which may be combined, their number."""
    return value.value if isinstance(value, Flag) else value.name


def make_enum(kind: type[Enum], state: Any) -> Enum:
    """The member of that name, or the flag of that number."""
    return kind(state) if issubclass(kind, Flag) else kind[state]


def _missing(kind: type, name: str) -> PayloadError:
    return PayloadError(f"{name_of(kind)} now requires {name!r}, which was not stored")
