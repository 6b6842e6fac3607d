"""Every example is started and used over HTTP."""

import os
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet
from PIL import Image

from fastapi_taskflow_testkit.processes import free_port

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def port(request) -> str:
    return str(free_port(request))


def test_every_example_is_tried_here():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {
        "basic.py",
        "demo.py",
        "encryption.py",
        "observability.py",
        "processes.py",
        "queues.py",
        "resilience.py",
        "schedules.py",
        "thumbnails.py",
        "webhooks.py",
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


def test_demo_shows_life_takes_orders_and_starts_again(serve, finished, until, port):
    server = serve(EXAMPLES / "demo.py", PORT=port)
    client = server.client()
    answer = client.post("/orders/7", params={"email": "ada@example.org"}).json()
    assert finished(client, answer["payment"])["error"].startswith("ValueError: order 7")
    assert finished(client, answer["confirmation"])["args"]["subject"] == "'Order 7'"

    def alive() -> bool:
        return {"success", "failed", "running"} <= {
            task["status"] for task in client.get("/tasks", params={"limit": 100}).json()
        }

    until(alive, "successes, failures and a long task at once")
    (report,) = client.get("/tasks", params={"func_name": "build_report"}).json()
    assert report["progress"]["total"] == 600
    assert client.get("/tasks", params={"source": "scheduled"}).json()
    assert client.get("/tasks", params={"tag": "customer"}).json()
    assert "Demo shop" in client.get("/tasks/dashboard").text
    server.interrupt()
    assert "dashboard: " in server.output
    again = serve(EXAMPLES / "demo.py", PORT=port)
    assert again.client().get(f"/tasks/{report['task_id']}").json()["status"] != "interrupted"
    again.stop()


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


def test_resilience_keeps_its_promises_when_it_is_killed(serve, finished, until, tmp_path):
    settings = {"PYTHONPATH": str(EXAMPLES), "RESILIENCE_DB": str(tmp_path / "db")}
    server = serve("resilience:app", RESILIENCE_SECONDS="60", **settings)
    client = server.client()
    ids = client.post("/orders/1").json()

    def both_run() -> bool:
        named = (ids["cook"], ids["charge"])
        return all(client.get(f"/tasks/{it}").json()["status"] == "running" for it in named)

    until(both_run, "both tasks run")
    waiting = client.post("/orders/2").json()
    os.kill(client.get("/whoami").json(), signal.SIGKILL)
    server = serve("resilience:app", RESILIENCE_SECONDS="0.1", **settings)
    client = server.client()
    assert finished(client, ids["cook"])["status"] == "success"
    assert finished(client, ids["charge"])["status"] == "interrupted"
    assert finished(client, waiting["cook"])["status"] == "success"
    server.stop()


def test_webhooks_insist_give_up_and_are_delivered_once(serve, finished, tmp_path):
    settings = {"WEBHOOKS_DB": str(tmp_path / "db"), "WEBHOOKS_DELAY": "0.01"}
    server = serve("webhooks:app", PYTHONPATH=str(EXAMPLES), **settings)
    client = server.client()
    url = f"{client.base_url}/customer".replace("//customer", "/customer")

    def order(number: int, *statuses: int, times: int = 3) -> dict:
        client.put("/customer", json=statuses).raise_for_status()
        answers = [
            client.post(f"/orders/{number}", params={"url": url}).json() for _ in range(times)
        ]
        # A key that is taken in the backend alone gives an id that stands for its holder.
        (task_id,) = {finished(client, answer["task_id"])["task_id"] for answer in answers}
        return finished(client, task_id)

    assert (order(1)["status"], client.get("/customer").json()) == ("success", {"200": 1})
    assert order(2, 503, 429, 503)["retries_used"] == 3
    assert client.get("/customer").json() == {"503": 2, "429": 1, "200": 1}
    refused = order(3, 410, times=1)  # one that has failed could be asked for again
    assert (refused["status"], refused["retries_used"]) == ("failed", 0)
    assert "does not want it: 410" in refused["error"]
    server.stop()


def test_queues_are_bounded_and_alarms_go_first(serve, finished):
    server = serve("queues:app", PYTHONPATH=str(EXAMPLES), QUEUES_SECONDS="0.5")
    client = server.client()
    chores = client.post("/chores", params={"number": 24}).json()
    answers = [client.post(f"/reports/{number}") for number in range(20)]
    assert {answer.status_code for answer in answers} == {200, 503}
    alarm = finished(client, client.post("/alarms/fire").json())
    last = finished(client, chores[-1])
    assert alarm["start_time"] < last["start_time"]
    client.patch("/reports", params={"number": 5}).raise_for_status()
    assert client.get("/tasks/queues/reports").json()["concurrency"] == 5
    server.stop()


def test_observability_reaches_all_listeners(serve, finished, until, tmp_path):
    log = tmp_path / "tasks.log"
    server = serve("observability:app", PYTHONPATH=str(EXAMPLES), OBSERVABILITY_LOG=str(log))
    client = server.client()
    for number in (3, 6, 0):
        finished(client, client.post(f"/divide/{number}").json())

    def counted() -> bool:  # listeners are told behind the tasks' backs
        said = client.get("/metrics").text
        return (
            'tasks_total{function="divide",status="success"} 2' in said
            and 'tasks_total{function="divide",status="failed"} 1' in said
            and 'task_lines_total{level="warning"} 1' in said
        )

    until(counted, "the listener has counted")
    server.stop()
    assert "the result is 4.0" in log.read_text()
    assert "dividing" in server.output


def test_processes_count_while_requests_are_answered(serve, finished, until):
    server = serve("processes:app", PYTHONPATH=str(EXAMPLES))
    client = server.client()
    task_id = client.post("/primes/10000").json()
    assert client.get(f"/primes/{task_id}").json() == 1229
    assert str(client.get("/ping").json()) not in finished(client, task_id)["logs"][0]["message"]
    long = client.post("/primes/100000000").json()
    until(lambda: client.get(f"/tasks/{long}").json()["progress"], "the count has begun")
    assert client.get("/ping").status_code == 200
    client.post(f"/tasks/{long}/cancel").raise_for_status()
    assert finished(client, long)["status"] == "cancelled"
    server.stop()


def test_thumbnails_are_made_of_uploads(serve, finished, tmp_path):
    server = serve("thumbnails:app", PYTHONPATH=str(EXAMPLES), THUMBNAILS_FOLDER=str(tmp_path))
    client = server.client()
    picture = BytesIO()
    Image.new("RGB", (800, 400), "teal").save(picture, "PNG")
    answer = client.post("/pictures", files={"file": ("teal.png", picture.getvalue())}).json()
    task = finished(client, answer["task_id"])
    assert (task["status"], task["progress"]["done"]) == ("success", 3)
    small = client.get(f"/pictures/{answer['picture']}/128")
    assert Image.open(BytesIO(small.content)).size == (128, 64)
    answer = client.post("/pictures", files={"file": ("notes.txt", b"no picture")}).json()
    task = finished(client, answer["task_id"])
    assert (task["status"], task["retries_used"]) == ("failed", 0)
    server.stop()


def test_instances_go_on_where_one_was_killed(serve, finished, until, tmp_path):
    # Three in a row, of which the system gives none to whoever asks for any.
    ports = range(free := 20_000 + os.getpid() % 12_000, free + 3)
    command = [sys.executable, EXAMPLES / "instances/run.py", str(ports[0])]
    storage = {"TASKS_URL": f"sqlite:///{tmp_path / 'tasks.db'}"}
    run = subprocess.Popen(
        command, env={**os.environ, **storage}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    clients = [httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) for port in ports]
    try:

        def all_there() -> bool:
            try:
                return {len(client.get("/tasks/instances").json()) for client in clients} == {3}
            except httpx.TransportError:
                return False

        until(all_there, "three instances see each other")
        task_id = clients[0].post("/work", params={"seconds": 2}).json()
        left = clients[1]
        said = until(lambda: left.get(f"/tasks/{task_id}").json()["logs"], "it has begun")
        os.kill(int(said[0]["message"].split()[-1]), signal.SIGKILL)
        assert finished(left, task_id)["status"] == "success"
        ticks = left.get("/tasks", params={"func_name": "tick"}).json()
        slots = [tick["tags"]["slot"] for tick in ticks]
        assert len(slots) == len(set(slots))
    finally:
        for client in clients:
            client.close()
        run.send_signal(signal.SIGTERM)
        assert run.communicate(timeout=30)[0]
