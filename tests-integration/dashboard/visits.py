"""What tests do beside the browser."""

import time
from datetime import datetime

import httpx

PHONE = {"width": 390, "height": 844}
PAGES = [
    "",
    "/tasks",
    "/failures",
    "/functions",
    "/queues",
    "/schedules",
    "/instances",
    "/audit",
]
PATIENCE = 30.0
"""Seconds that everything may take: a busy machine is no failure."""
LONG = "of_two_hundred_letters_" * 8 + "x" * 16
"""A name."""


def add(api: httpx.Client, name: str, argument: object) -> str:
    """Add a task by a request, and return its id."""
    return str(api.post(f"/add/{name}", params={"argument": str(argument)}).json())


def ended(api: httpx.Client, task_id: str, status: str) -> None:
    """Return when the task has this status."""
    deadline = time.monotonic() + PATIENCE
    while api.get(f"/tasks/{task_id}").json()["status"] != status:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def all_ended(api: httpx.Client, number: int, status: str) -> None:
    """Return when so many tasks have this status."""
    deadline = time.monotonic() + PATIENCE
    while api.get("/tasks/count", params={"status": status}).json()["count"] < number:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def moment(told: str) -> float:
    """A time of the API, in seconds."""
    return datetime.fromisoformat(told).timestamp()
