"""The core runs when its folder is copied into another project under another name."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CORE = Path(__file__).parents[2] / "packages/core/src/fastapi_taskflow_core"

RETRYING = """
from fastapi import BackgroundTasks, FastAPI
from fastapi.testclient import TestClient
from {name} import TaskManager, get_task_context

manager = TaskManager()
app = FastAPI()
manager.install(app)
attempts = []

@manager.task(retries=2)
def stumble(word):
    attempts.append((word, get_task_context().attempt))
    if len(attempts) < 3:
        raise ConnectionError("not yet")

@app.post("/")
def route(background_tasks: BackgroundTasks):
    return background_tasks.add_task(stumble, "hello")

def run():
    with TestClient(app) as client:
        assert client.post("/").status_code == 200
    assert attempts == [("hello", 0), ("hello", 1), ("hello", 2)], attempts
"""

ALONE = """
from importlib.util import find_spec

import application
application.run()
assert find_spec("fastapi_taskflow_core") is None
"""

TOGETHER = """
from fastapi import BackgroundTasks, FastAPI
from fastapi.testclient import TestClient

import fastapi_taskflow_core
import application, with_the_installed
assert application.TaskManager is not fastapi_taskflow_core.TaskManager
for each in (application, with_the_installed):
    each.run()

plain = FastAPI()

@plain.post("/")
def route(background_tasks: BackgroundTasks):
    return background_tasks.add_task(print, "plain") is None

assert TestClient(plain).post("/").json() is True
"""


def needed_by(*names: str) -> set[str]:
    """The distributions that these need, extras aside."""
    found: set[str] = set()
    wanted = list(names)
    while wanted:
        name = wanted.pop().lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        for line in requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                wanted.append(requirement.name)
    return found


@pytest.fixture
def project(tmp_path):
    """A project that has vendored the core as ``background``."""
    shutil.copytree(CORE, tmp_path / "background", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "application.py").write_text(RETRYING.format(name="background"))
    (tmp_path / "with_the_installed.py").write_text(RETRYING.format(name="fastapi_taskflow_core"))
    return tmp_path


@pytest.fixture
def only_fastapi(tmp_path_factory):
    """A folder with FastAPI, what it needs and what its test client needs; nothing else."""
    folder = tmp_path_factory.mktemp("site-packages")
    for name in needed_by("fastapi", "httpx"):
        installed = distribution(name)
        for top in {file.parts[0] for file in installed.files or ()} - {".."}:
            if not (folder / top).exists():
                (folder / top).symlink_to(installed.locate_file(top))
    return folder


def run(program: str, folder: Path, *options: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, *options, "-c", program],
        cwd=folder,
        env=os.environ | environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_copy_runs_a_retrying_task_where_nothing_of_ours_is_installed(project, only_fastapi):
    without_this_environment = "-S"
    run(ALONE, project, without_this_environment, PYTHONPATH=f"{project}:{only_fastapi}")


def test_a_copy_and_the_installed_core_run_in_one_process(project):
    run(TOGETHER, project, PYTHONPATH=str(project))
