"""Where tasks are kept. SQLite comes with the package, the others with an extra."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.errors import MissingExtra

__all__ = ["MemoryBackend", "SqliteBackend"]

if TYPE_CHECKING:
    from fastapi_taskflow_mysql import MySQLBackend as MySQLBackend  # noqa: PLC0414
    from fastapi_taskflow_postgres import PostgresBackend as PostgresBackend  # noqa: PLC0414
    from fastapi_taskflow_redis import RedisBackend as RedisBackend  # noqa: PLC0414
    from fastapi_taskflow_sqlite import SqliteBackend
else:
    # Imported when asked for: nobody needs all of them, or has to have them installed.
    _PACKAGES = {
        "MySQLBackend": "mysql",
        "PostgresBackend": "postgres",
        "RedisBackend": "redis",
        "SqliteBackend": "sqlite",
    }

    def __getattr__(name: str) -> object:
        if name not in _PACKAGES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        distribution = f"fastapi_taskflow_{_PACKAGES[name]}"
        try:
            return getattr(import_module(distribution), name)
        except ModuleNotFoundError as error:
            if error.name != distribution:
                raise
            raise MissingExtra(name, _PACKAGES[name]) from None

    def __dir__() -> list[str]:
        return [*globals(), *_PACKAGES]
