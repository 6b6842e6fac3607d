"""HTTP API and dashboard of fastapi-taskflow."""

from .admin import TaskAdmin
from .auth.backend import TaskAuthBackend
from .auth.passwords import hash_password
from .auth.permissions import TaskUser

__all__ = ["TaskAdmin", "TaskAuthBackend", "TaskUser", "hash_password"]
