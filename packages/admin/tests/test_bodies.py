"""Bodies of requests that nobody can read."""

import pytest
from clients import local
from fake_manager import FakeManager
from fastapi import FastAPI

from fastapi_taskflow_admin import TaskAdmin

CHANGES = [("PATCH", "/tasks/queues/mail"), ("POST", "/tasks/bulk-retry")]


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize("body", [b"\xff", b"\x03\x81", b"[" * 100_000])
async def test_a_body_that_is_no_text_is_refused_and_nothing_is_entered(
    manager: FakeManager, app: FastAPI, method: str, path: str, body: bytes
) -> None:
    async with local(app) as client:
        answer = await client.request(
            method, path, content=body, headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == 400
    assert await manager.entries() == []


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_a_guest_learns_nothing_by_a_body_that_is_no_text(
    manager: FakeManager, method: str, path: str
) -> None:
    app = FastAPI()
    TaskAdmin(app, manager, auth=("ada", "secret"))
    async with local(app) as client:
        answer = await client.request(
            method, path, content=b"\xff", headers={"Content-Type": "application/json"}
        )
    assert answer.status_code in {400, 401}
    assert await manager.entries() == []
