"""PostgreSQL storage for fastapi-taskflow."""

from .backend import PostgresBackend

__all__ = ["PostgresBackend"]
