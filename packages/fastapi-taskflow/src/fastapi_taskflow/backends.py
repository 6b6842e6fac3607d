"""Where tasks are kept. SQLite comes with the package, the others with an extra."""

from __future__ import annotations

from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.errors import MissingExtra
from fastapi_taskflow_sqlite import SqliteBackend

__all__ = ["MemoryBackend", "SqliteBackend"]

_EXTRAS = {"MySQLBackend": "mysql", "PostgresBackend": "postgres", "RedisBackend": "redis"}


def __getattr__(name: str) -> object:
    if name in _EXTRAS:
        raise MissingExtra(name, _EXTRAS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
