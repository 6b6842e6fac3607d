"""Two worker processes of one server: a session of one is a session of the other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastapi_taskflow_testkit.faults import AppServer

PROGRAM = """
import os

from fastapi import FastAPI, Request
from fastapi_taskflow import TaskAdmin, TaskManager

app = FastAPI()
TaskAdmin(app, TaskManager(snapshot_db="tasks.db"), auth=[("ann", "right"), ("bob", "left")])


@app.middleware("http")
async def worker(request: Request, call_next):
    response = await call_next(request)
    response.headers["Worker"] = str(os.getpid())
    return response
"""
RIGHT = {"username": "ann", "password": "right"}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[httpx.URL]:
    """Where two workers answer."""
    (tmp_path / "two_workers.py").write_text(PROGRAM)
    with AppServer.of("two_workers:app", tmp_path, server="uvicorn with two workers") as server:
        url = httpx.URL(server.wait_until_it_answers().url)
        assert both_say(url, {}) == {401}
        yield url


def ask(url: httpx.URL, method: str, path: str, **request: Any) -> httpx.Response:
    """One request over a connection of its own: any worker may take it."""
    with httpx.Client(base_url=url, timeout=20) as client:
        return client.request(method, path, **request)


def both_say(url: httpx.URL, headers: dict[str, str]) -> set[int]:
    """The statuses of one question, asked over many connections until both workers were heard."""
    workers, statuses = set(), set()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(100):
            for answer in pool.map(lambda _: ask(url, "GET", "/tasks", headers=headers), range(16)):
                workers.add(answer.headers["Worker"])
                statuses.add(answer.status_code)
            if len(workers) == 2:
                return statuses
    raise AssertionError(f"only {workers} answered")


def test_a_session_of_one_worker_is_known_to_the_other_until_it_is_ended(address):
    login = ask(address, "POST", "/tasks/auth/login", data=RIGHT)
    assert login.status_code == 303
    cookie = {"Cookie": login.headers["Set-Cookie"].partition(";")[0]}
    assert both_say(address, cookie) == {200}
    assert ask(address, "POST", "/tasks/auth/logout", headers=cookie).status_code == 303
    assert both_say(address, cookie) == {401}


def test_workers_count_failed_logins_together(address):
    wrong = {**RIGHT, "password": "wrong"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: ask(address, "POST", "/tasks/auth/login", data=wrong), range(24))
        )
    counted = [answer.status_code for answer in answers]
    assert (counted.count(401), counted.count(429)) == (5, 19)


def test_the_trail_is_that_of_both_workers(address):
    for _ in range(3):
        login = ask(address, "POST", "/tasks/auth/login", data=RIGHT)
    cookie = {"Cookie": login.headers["Set-Cookie"].partition(";")[0]}
    entries = ask(address, "GET", "/tasks/audit", headers=cookie).json()
    assert [(entry["actor"], entry["action"], entry["result"]) for entry in entries] == [
        ("ann", "login", "ok")
    ] * 3
