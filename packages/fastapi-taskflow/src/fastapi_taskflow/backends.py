"""Where tasks are kept. SQLite comes with the package, the others with an extra."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.errors import MissingExtra
from fastapi_taskflow_sqlite import SqliteBackend

if TYPE_CHECKING:
    from fastapi_taskflow_mysql import MySQLBackend as MySQLBackend  # noqa: PLC0414
    from fastapi_taskflow_postgres import PostgresBackend as PostgresBackend  # noqa: PLC0414
    from fastapi_taskflow_redis import RedisBackend as RedisBackend  # noqa: PLC0414

__all__ = ["MemoryBackend", "SqliteBackend"]

_EXTRAS = {"MySQLBackend": "mysql", "PostgresBackend": "postgres", "RedisBackend": "redis"}


def __getattr__(name: str) -> object:
    if name not in _EXTRAS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    distribution = f"fastapi_taskflow_{_EXTRAS[name]}"
    try:
        backend: object = getattr(import_module(distribution), name)
    except ModuleNotFoundError as error:
        if error.name != distribution:
            raise
        raise MissingExtra(name, _EXTRAS[name]) from None
    return backend
