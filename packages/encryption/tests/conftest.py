"""Keys, and a manager that encrypts."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from fastapi_taskflow_core import TaskManager


@pytest.fixture
def key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def manager(key: str) -> TaskManager:
    """A manager that was never started: it runs tasks in memory."""
    return TaskManager(encrypt_args_key=key)
