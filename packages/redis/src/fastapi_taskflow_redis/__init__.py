"""Redis storage for fastapi-taskflow."""

from .backend import RedisBackend

__all__ = ["RedisBackend"]
