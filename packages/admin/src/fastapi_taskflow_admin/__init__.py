"""HTTP API and dashboard of fastapi-taskflow."""

from .admin import TaskAdmin

__all__ = ["TaskAdmin"]
