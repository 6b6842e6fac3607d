import httpx
import pytest
from fake_manager import FakeManager

from fastapi_taskflow_core.errors import BackendUnavailable


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/tasks", 200),
        ("GET", "/tasks/gone", 404),
        ("GET", "/tasks?limit=0", 422),
        ("GET", "/tasks/dashboard/tasks", 200),
        ("GET", "/tasks/dashboard/tasks?limit=0", 422),
        ("GET", "/tasks/dashboard/rows", 200),
        ("GET", "/tasks/dashboard/tasks/gone", 404),
        ("POST", "/tasks/bulk-retry", 422),
    ],
)
async def test_every_answer_has_the_security_headers(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path)
    assert response.status_code == status
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src")
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"


async def test_errors_have_the_security_headers_too(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    manager.trouble = BackendUnavailable("locked")
    response = await client.get("/tasks")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
