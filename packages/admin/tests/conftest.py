from collections.abc import AsyncIterator

import httpx
import pytest
from clients import local
from fake_manager import FakeManager
from fastapi import FastAPI

from fastapi_taskflow_admin import TaskAdmin


@pytest.fixture
def manager() -> FakeManager:
    return FakeManager()


@pytest.fixture
def app(manager: FakeManager) -> FastAPI:
    made = FastAPI()
    TaskAdmin(made, manager)
    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with local(app) as made:
        yield made
