"""The README's quick start, under a real server, as a newcomer would try it."""

import sqlite3
from pathlib import Path

import httpx
import pytest


@pytest.fixture
def app(tmp_path, quickstart):
    """The quick start as a file; what to start."""
    (tmp_path / "quickstart.py").write_text(quickstart)
    return "quickstart:app"


def sign_up(client: httpx.Client) -> str:
    answer = client.post("/signup", params={"email": "ada@example.org"})
    assert answer.status_code == 200
    return answer.json()["task_id"]


def test_a_task_that_fails_twice_succeeds_and_tells_its_story(app, serve, finished):
    client = serve(app).client()
    task = finished(client, sign_up(client))
    assert (task["status"], task["retries_used"]) == ("success", 2)
    assert [line["message"] for line in task["logs"]] == ["sent to ada@example.org"]
    refused = "ConnectionError: the mail server does not answer"
    assert [attempt["error"] for attempt in task["attempts"]] == [refused, refused, None]


def test_between_its_attempts_the_task_waits_for_its_time(app, serve, finished):
    client = serve(app).client()
    task_id = sign_up(client)
    first, second, third = finished(client, task_id)["attempts"]
    assert first["ended_at"] < second["started_at"] < second["ended_at"] < third["started_at"]


def test_list_metrics_and_dashboard_show_the_task(app, serve, finished):
    client = serve(app).client()
    task_id = sign_up(client)
    finished(client, task_id)
    assert [task["task_id"] for task in client.get("/tasks").json()] == [task_id]
    metrics = client.get("/tasks/metrics").json()
    assert (metrics["total"], metrics["success"], metrics["success_rate"]) == (1, 1, 1.0)
    assert task_id in client.get("/tasks/dashboard/tasks").text


def test_after_sigterm_and_a_new_start_the_history_is_there(app, serve, finished):
    before = serve(app)
    client = before.client()
    task = finished(client, sign_up(client))
    before.stop()
    assert serve(app).client().get(f"/tasks/{task['task_id']}").json() == task


def test_a_database_that_cannot_be_written_stops_the_start_with_one_line(app, serve, tmp_path):
    (tmp_path / "tasks.db").mkdir()
    server = serve(app)
    assert server.ended() != 0
    told = [line for line in server.output.splitlines() if str(tmp_path / "tasks.db") in line]
    assert len(told) == 1
    assert "Traceback" not in server.output


def test_a_database_of_a_newer_version_is_refused_and_untouched(app, serve, tmp_path):
    database: Path = tmp_path / "tasks.db"
    before = serve(app)
    before.client()
    before.stop()
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE taskflow_meta SET value = ? WHERE name = 'schema'", ("999",))
    connection.close()
    untouched = database.read_bytes()
    server = serve(app)
    assert server.ended() != 0
    assert "tasks.db has schema version 999" in server.output
    assert "Traceback" not in server.output
    assert database.read_bytes() == untouched
