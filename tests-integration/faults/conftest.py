import httpx
import pytest


@pytest.fixture
async def client():
    async with httpx.AsyncClient(timeout=20) as client:
        yield client
