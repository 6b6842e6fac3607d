"""How a task's arguments and results become bytes and come back the same."""

from __future__ import annotations

from .codec import ArgumentCodec, TypedJsonCodec

__all__ = ["ArgumentCodec", "TypedJsonCodec"]
