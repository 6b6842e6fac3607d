"""Every example is started and used over HTTP."""

import socket
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def free_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def test_every_example_is_tried_here():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {
        "basic.py",
        "demo.py",
        "encryption.py",
        "schedules.py",
    }


@pytest.mark.parametrize(
    ("failure_rate", "status", "retries"), [("0", "success", 0), ("1", "failed", 3)]
)
def test_basic(serve, finished, failure_rate, status, retries):
    server = serve("basic:app", PYTHONPATH=str(EXAMPLES), FAILURE_RATE=failure_rate)
    client = server.client()
    answer = client.post("/signup", params={"email": "ada@example.org"})
    task = finished(client, answer.json()["task_id"])
    assert (task["status"], task["retries_used"]) == (status, retries)
    server.stop()


def test_demo_shows_life_and_takes_orders(serve, finished, free_port):
    server = serve(EXAMPLES / "demo.py", PORT=free_port)
    client = server.client()
    answer = client.post("/orders/7", params={"email": "ada@example.org"}).json()
    assert finished(client, answer["payment"])["error"].startswith("ValueError: order 7")
    assert finished(client, answer["confirmation"])["args"]["subject"] == "'Order 7'"
    assert client.get("/tasks", params={"tag": "customer"}).json()
    assert "Demo shop" in client.get("/tasks/dashboard").text
    server.stop()
    assert "dashboard: " in server.output


def test_schedules_run_by_themselves_by_hand_and_once(serve, finished, until, tmp_path):
    server = serve("schedules:app", PYTHONPATH=str(EXAMPLES), SCHEDULES_DB=str(tmp_path / "db"))
    client = server.client()

    def slots() -> list[dict]:
        (mailbox,) = (each for each in client.get("/schedules").json() if "mail" in each["name"])
        return mailbox["last"]

    slot = until(slots, "a slot")[0]
    assert finished(client, slot["task_id"])["status"] == "success"
    by_hand = finished(client, client.post("/schedules/nightly_report/run").json())
    assert by_hand["logs"][0]["message"] == "report for asked for by hand"
    assert client.post("/schedules/daily/run").status_code == 404
    first = client.post("/reminders/ada", params={"seconds": 3600}).json()
    second = client.post("/reminders/ada", params={"seconds": 0}).json()
    assert finished(client, first)["status"] == "cancelled"
    assert finished(client, second)["status"] == "success"
    assert client.delete("/reminders/ada").json() is False
    server.stop()


def test_encryption_shows_no_card_and_changes_its_key(serve, finished, tmp_path):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings = {"PYTHONPATH": str(EXAMPLES), "ENCRYPTION_DB": str(tmp_path / "payments.db")}
    card = "4000001234567899"
    server = serve("encryption:app", ENCRYPTION_KEY=old, **settings)
    client = server.client()
    paid = client.post("/payments", json={"card": card, "amount": 7}).json()["task_id"]
    task = finished(client, paid)
    assert task["logs"][0]["message"] == "charging 7 to ***"
    assert (task["result"], task["args"]) == ("encrypted", {"arguments": "encrypted"})
    assert client.get(f"/receipts/{paid}").json() == f"receipt for {card}"
    refused = client.post("/payments", json={"card": "none", "amount": 7}).json()["task_id"]
    assert finished(client, refused)["error"] == "ValueError: encrypted"
    server.stop()
    assert card.encode() not in (tmp_path / "payments.db").read_bytes()
    server = serve("encryption:app", ENCRYPTION_KEY=f"{new},{old}", **settings)
    assert list(server.client().post("/keys/rotate").json().values()) == [1]
    server.stop()
