"""Encrypted task arguments for fastapi-taskflow."""

from __future__ import annotations

from .keyring import Keyring
from .sealed import FernetSealer

__all__ = ["FernetSealer", "Keyring"]
