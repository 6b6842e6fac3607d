"""A manager installed in an application, and what it keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastapi_taskflow_core import QueueConfig, TaskManager, TaskRecord
from fastapi_taskflow_core.backends.base import Capabilities, Query
from fastapi_taskflow_core.backends.memory import MemoryBackend


class Surviving(MemoryBackend):
    """Outlives the managers that use it, as a database does."""

    @property
    def capabilities(self) -> Capabilities:
        """Those of a database."""
        return Capabilities(survives_restart=True, shared=True)


@pytest.fixture
def database() -> MemoryBackend:
    """A backend that several managers may use, one after the other or at once."""
    return Surviving()


@pytest.fixture
def manager() -> TaskManager:
    """A manager that was never started: it runs tasks in memory."""
    return TaskManager(queues={name: QueueConfig() for name in ("mail", "urgent", "labels")})


@pytest.fixture
def app(manager: TaskManager) -> FastAPI:
    """An application with that manager."""
    app = FastAPI()
    manager.install(app)
    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A client outside a ``with``: the application's lifespan does not run."""
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def kept(manager: TaskManager) -> Callable[[], list[TaskRecord]]:
    """Reads the tasks that the manager knows of, the oldest first."""

    def read() -> list[TaskRecord]:
        return list(reversed(asyncio.run(manager.history.query(Query())).tasks))

    return read
