"""SQLite storage for fastapi-taskflow."""

from .backend import SqliteBackend

__all__ = ["SqliteBackend"]
