"""MySQL and MariaDB storage for fastapi-taskflow."""

from .backend import MySQLBackend

__all__ = ["MySQLBackend"]
