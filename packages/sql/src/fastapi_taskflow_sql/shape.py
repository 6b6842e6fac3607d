"""Which types the values of a row have, where a database can hold others."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi_taskflow_core.backends.damage import Shape

from .schema import Column, Kind

_TEXT = frozenset({str})
_NUMBER = frozenset({int, bool})
_BYTES = frozenset({bytes, bytearray, memoryview})
_KINDS: dict[Kind, frozenset[type]] = {
    "id": _TEXT,
    "word": _TEXT,
    "name": _TEXT,
    "label": _TEXT,
    "text": _TEXT,
    "json": _TEXT,
    "int": _NUMBER,
    "bigint": _NUMBER,
    "flag": _NUMBER,
    "real": frozenset({float}),
    "hash": _BYTES,
    "blob": _BYTES,
}


def shape_of(columns: Iterable[Column]) -> Shape:
    """The shape of rows with these columns."""
    return Shape(
        {it.name: _KINDS[it.kind] | ({type(None)} if it.null else set()) for it in columns}
    )
