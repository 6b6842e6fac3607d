import os
import sys
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

SOAK = os.environ.get("TASKFLOW_SOAK") == "1"


@pytest.fixture
async def client():
    async with httpx.AsyncClient(timeout=20) as client:
        yield client
