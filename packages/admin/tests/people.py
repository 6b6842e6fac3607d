"""Who may use the admin in tests, with what password and permissions."""

from __future__ import annotations

from fake_manager import FakeManager
from fastapi import FastAPI

from fastapi_taskflow_admin import TaskAdmin

PASSWORDS = {"vera": "sees all", "olaf": "does much", "ada": "may do änything"}
PEOPLE = [
    ("vera", PASSWORDS["vera"], "view"),
    ("olaf", PASSWORDS["olaf"], {"view", "operate"}),
    ("ada", PASSWORDS["ada"]),
]


def guarded(manager: FakeManager, **options: object) -> FastAPI:
    """An application whose admin wants a password."""
    app = FastAPI()
    TaskAdmin(app, manager, **{"auth": PEOPLE, **options})  # type: ignore[arg-type]
    return app
