"""An application with a manager of its own that is a part of another, which has none."""

import httpx
import pytest

PROGRAM = """
import asyncio
from fastapi import BackgroundTasks, FastAPI
from fastapi_taskflow import TaskAdmin, TaskManager

manager = TaskManager(snapshot_db="tasks.db", drain_timeout=2)
part = FastAPI()
TaskAdmin(part, manager, auto_install=True)
app = FastAPI()
app.mount("/part", part)


@manager.task(persist=True, requeue_on_interrupt=True)
async def work(number: int) -> None:
    with open("starts", "a") as starts:
        starts.write(f"{number} ")
    if len(open("starts").read().split()) == 1:
        await asyncio.sleep(60)


@part.post("/work")
async def add(background_tasks: BackgroundTasks) -> str:
    return background_tasks.add_task(work, 1)
"""


@pytest.fixture
def starts(tmp_path):
    """Says how often the task has started, in a folder with the program."""
    (tmp_path / "parts.py").write_text(PROGRAM)
    (tmp_path / "starts").touch()
    return lambda: len((tmp_path / "starts").read_text().split())


def status(client: httpx.Client, task_id: str) -> str:
    return client.get(f"/part/tasks/{task_id}").json()["status"]


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_what_was_accepted_runs_after_the_end_of_its_process(serve, starts, until, end):
    before = serve("parts:app")
    client = before.client()
    task_id = client.post("/part/work").json()
    until(lambda: starts() == 1, "the first start")
    getattr(before, end)()
    after = serve("parts:app")
    client = after.client()
    until(lambda: status(client, task_id) == "success", "the end")
    assert starts() == 2
    after.stop()
    assert after.output.count("a request came before the start") == 1
