"""A secret goes through every feature, and is found nowhere but in the functions it is for."""

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from fastapi_taskflow_testkit.faults import AppServer
from places import KINDS, Place, place

SECRET = "4000-0012-3456-7899-Zebra"
RIGHT, WRONG = Fernet.generate_key().decode(), Fernet.generate_key().decode()
PROGRAM = """
import hashlib, os, time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import BackgroundTasks, FastAPI, Request
from fastapi_taskflow import TaskAdmin, TaskManager, task_log, task_progress

manager = TaskManager(
    snapshot_backend=os.environ["TASKS_URL"],
    encrypt_args_key=os.environ["KEYS"].split(),
    log_file="tasks.log",
    log_lifecycle=True,
    lease=2,
)
app = FastAPI()
TaskAdmin(app, manager, auto_install=True, display_func_args=True)


def note(name, card):
    with Path("ledger").open("a") as ledger:
        print(name, hashlib.sha256(card.encode()).hexdigest(), file=ledger)


def say(card):
    task_log(f"charging {card}", card=card)
    task_progress(1, 2, f"charging {card}")


@manager.task(persist=True, keep_result=True)
async def pay(card):
    note("pay", card)
    say(card)
    return {"card": card}


@manager.task(persist=True, retries=1, delay=0.01)
def refuse(card):
    note("refuse", card)
    say(card)
    raise ValueError(f"the bank refuses {card}")


@manager.task(persist=True, executor="process", keep_result=True, requeue_on_interrupt=True)
def reckon(card):
    note("reckon", card)
    say(card)
    return card


@manager.task(persist=True, executor="process")
def miscount(card):
    note("miscount", card)
    raise ValueError(f"cannot count {card}")


@manager.task(persist=True, requeue_on_interrupt=True)
def die(card):
    note("die", card)
    say(card)
    if not Path("died").exists():
        Path("died").touch()
        time.sleep(60)


@manager.task()
async def unkept(card):
    note("unkept", card)
    raise ValueError(card)


FUNCTIONS = {each.__name__: each for each in (pay, refuse, reckon, miscount, die, unkept)}


@app.post("/add/{name}")
async def add(name: str, request: Request, background_tasks: BackgroundTasks):
    card = (await request.json())["card"]
    return {"id": background_tasks.add_task(FUNCTIONS[name], card)}


@app.post("/later/{seconds}")
async def later(seconds: float, request: Request):
    card = (await request.json())["card"]
    when = datetime.now(UTC) + timedelta(seconds=seconds)
    return {"id": await manager.schedule_once(pay, card, run_at=when, run_key=f"in {seconds}")}


@app.post("/reencrypt")
async def reencrypt():
    return await manager.reencrypt()
"""
PAGES = ["", "/metrics", "/metrics/series?range=1h", "/health", "/instances", "/queues"]
PAGES += ["/schedules", "/audit", "/dashboard", "/dashboard/", "?q=bank", "?status=failed"]


@pytest.fixture(params=KINDS)
def kept(request: pytest.FixtureRequest) -> Iterator[Place]:
    with place(request.param) as where:
        yield where


class Shop:
    """The application, and all that it answered."""

    def __init__(self, kept: Place, folder: Path, *keys: str) -> None:
        environment = {"TASKS_URL": kept.url, "KEYS": " ".join(keys)}
        self.server = AppServer.of("shop:app", folder, environment).wait_until_it_answers()
        self.client = httpx.Client(base_url=self.server.url, timeout=20)
        self.heard = ""

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        answer = self.client.request(method, path, follow_redirects=True, **request)
        assert answer.status_code < 500, answer.text
        self.heard += answer.text + str(answer.headers)
        return answer

    def add(self, what: str) -> str:
        answer = self.ask("POST", what, json={"card": SECRET}).raise_for_status()
        return str(answer.json()["id"])

    def task(self, task_id: str) -> dict[str, Any]:
        return dict(self.ask("GET", f"/tasks/{task_id}").raise_for_status().json())

    def ends(self, task_id: str, status: str, within: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + within
        while (task := self.task(task_id))["status"] in {"pending", "running"}:
            assert time.monotonic() < deadline, task
            time.sleep(0.05)
        assert task["status"] == status, task
        return task

    def look_everywhere(self) -> None:
        ids = [task["task_id"] for task in self.ask("GET", "/tasks?limit=100").json()]
        for task_id in ids:
            for path in (f"/tasks/{task_id}", f"/tasks/{task_id}/logs"):
                self.ask("GET", path)
            self.ask("GET", f"/tasks/dashboard/tasks/{task_id}")
        for page in PAGES:
            self.ask("GET", f"/tasks{page}")

    def close(self, end: Callable[[AppServer], None]) -> str:
        self.client.close()
        end(self.server)
        return self.heard


def ledger(folder: Path) -> list[str]:
    return [line.split()[0] for line in (folder / "ledger").read_text().splitlines()]


def test_a_secret_is_found_nowhere(kept: Place, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(PROGRAM)
    shop = Shop(kept, tmp_path, RIGHT)
    paid = shop.add("/add/pay")
    refused, miscounted = shop.add("/add/refuse"), shop.add("/add/miscount")
    reckoned, unkept = shop.add("/add/reckon"), shop.add("/add/unkept")
    soon, late = shop.add("/later/0.1"), shop.add("/later/3600")
    assert shop.ends(paid, "success")["result"] == "encrypted"
    task = shop.ends(refused, "failed")
    assert task["error"] == "ValueError: encrypted"
    assert task["args"] == {"arguments": "encrypted"}
    assert [line["message"] for line in task["logs"]] == ["charging ***"] * 2
    for task_id, status in [(miscounted, "failed"), (reckoned, "success"), (unkept, "failed")]:
        shop.ends(task_id, status)
    shop.ends(soon, "success")
    again = shop.ask("POST", f"/tasks/{refused}/retry").raise_for_status().json()["task_id"]
    shop.ends(again, "failed")
    dying = shop.add("/add/die")
    while "die" not in ledger(tmp_path):
        time.sleep(0.02)
    shop.look_everywhere()
    heard = shop.close(AppServer.kill)

    # After a real death the task runs again, by the same key.
    shop = Shop(kept, tmp_path, RIGHT)
    shop.ends(dying, "success")
    shop.look_everywhere()
    heard += shop.close(AppServer.stop)

    # Another key fits nothing, and says so; what is stored stays.
    shop = Shop(kept, tmp_path, WRONG)
    assert shop.ask("POST", f"/tasks/{refused}/retry").status_code == 409
    shop.ask("POST", "/add/pay", json={"card": SECRET}).raise_for_status()
    shop.look_everywhere()
    said = shop.server.output
    heard += shop.close(AppServer.stop)
    assert "encrypted with key" in said
    assert "not configured" in said

    # Both keys: everything is under the new one, and the old one can go.
    shop = Shop(kept, tmp_path, WRONG, RIGHT)
    shop.ask("POST", "/reencrypt").raise_for_status()
    heard += shop.close(AppServer.stop)
    shop = Shop(kept, tmp_path, WRONG)
    again = shop.ask("POST", f"/tasks/{refused}/retry").raise_for_status().json()["task_id"]
    shop.ends(again, "failed")
    assert shop.task(late)["status"] == "pending"
    heard += shop.close(AppServer.stop)

    kept.close()
    names = ledger(tmp_path)
    print(f"{len(names)} calls got the secret: {sorted(set(names))}")
    assert set(names) == {"pay", "refuse", "miscount", "reckon", "unkept", "die"}
    for word in (SECRET, base64.b64encode(SECRET.encode()).decode()[:24], SECRET[::-1]):
        assert word not in heard
        assert kept.holds(word.encode()) == []
        assert Place("", tmp_path).holds(word.encode()) == []
    assert kept.holds(b"sealed:1:")
