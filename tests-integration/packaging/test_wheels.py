"""As users get it: every distribution built, and installed from what was built alone."""

import json
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from fastapi_taskflow_core.__about__ import __version__

ROOT = Path(__file__).parents[2]
NAMES = sorted(
    path.name if path.name == "fastapi-taskflow" else f"fastapi-taskflow-{path.name}"
    for path in ROOT.glob("packages/*")
    if (path / "pyproject.toml").exists()
)
EXTRA = {
    f"fastapi-taskflow-{name}" for name in ("testkit", "encryption", "mysql", "postgres", "redis")
}
DASHBOARD = {"jinja2", "markupsafe", "python-multipart"}

pytestmark = pytest.mark.timeout(300)

QUICK_START = """
import re, sys

from fastapi.testclient import TestClient
from quickstart import app

with TestClient(app) as client:
    if sys.argv[1] == "first":
        task_id = client.post("/signup", params={"email": "ada@example.org"}).json()["task_id"]
        print(task_id)
    tasks = client.get("/tasks").json()
    assert [(task["status"], task["retries_used"]) for task in tasks] == [("success", 2)]
    assert client.get("/tasks/" + tasks[0]["task_id"]).json()["logs"]
    page = client.get("/tasks/dashboard").text
    assert "send_email" in page
    style = re.search('href="([^"]+[.]css)"', page)[1]
    assert client.get("/tasks/" + style).headers["content-type"].startswith("text/css")
"""

CORE_ALONE = """
from fastapi import BackgroundTasks, FastAPI
from fastapi.testclient import TestClient
from fastapi_taskflow_core import TaskManager

manager, app, calls = TaskManager(), FastAPI(), []
manager.install(app)

@manager.task(retries=1)
def stumble(word):
    calls.append(word)
    assert len(calls) > 1

@app.post("/")
def route(background_tasks: BackgroundTasks):
    background_tasks.add_task(stumble, "hello")

with TestClient(app) as client:
    client.post("/")
assert calls == ["hello", "hello"], calls
"""

SQLITE_ALONE = """
import asyncio, sys
from datetime import UTC, datetime
from fastapi_taskflow_core import TaskRecord
from fastapi_taskflow_core.backends.base import Batch, Query
from fastapi_taskflow_sqlite import SqliteBackend

async def main():
    backend = SqliteBackend("tasks.db")
    await backend.open()
    await backend.write(Batch("me", inserts=[TaskRecord("1", "work", datetime.now(UTC))]))
    await backend.close()
    again = SqliteBackend("tasks.db")
    await again.open()
    assert [task.func_name for task in (await again.query(Query())).tasks] == ["work"]
    await again.close()

asyncio.run(main())
"""


def uv(*arguments: object) -> str:
    command = [sys.executable, "-m", "uv", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    """A folder with every wheel and source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, ROOT / ".ci/build.py", folder]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


def wheel(dist: Path, name: str) -> Path:
    return dist / f"{name.replace('-', '_')}-{__version__}-py3-none-any.whl"


class Environment:
    """A virtual environment of its own."""

    def __init__(self, folder: Path, *requirements: object) -> None:
        self._folder = folder
        self._python = folder / "venv/bin/python"
        uv("venv", "--quiet", folder / "venv")
        uv("pip", "install", "--quiet", "--python", self._python, "httpx", *requirements)

    def run(self, program: str, *arguments: str) -> str:
        command = [self._python, "-c", program, *arguments]
        done = subprocess.run(
            command, cwd=self._folder, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def distributions(self) -> set[str]:
        listed = json.loads(uv("pip", "list", "--format", "json", "--python", self._python))
        return {each["name"].lower() for each in listed}


def test_every_package_makes_a_wheel_and_a_source_distribution(dist):
    files = {path.name for path in dist.iterdir() if path.suffix in {".whl", ".gz"}}
    stems = [f"{name.replace('-', '_')}-{__version__}" for name in NAMES]
    expected = {f"{stem}-py3-none-any.whl" for stem in stems} | {f"{stem}.tar.gz" for stem in stems}
    assert files == expected


def test_twine_finds_nothing_wrong(dist):
    files = [path for path in dist.iterdir() if path.suffix in {".whl", ".gz"}]
    command = [sys.executable, "-m", "twine", "check", "--strict", *files]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", NAMES)
def test_the_metadata_of_a_wheel_is_complete(dist, name):
    with zipfile.ZipFile(wheel(dist, name)) as archive:
        files = archive.namelist()
        info = f"{name.replace('-', '_')}-{__version__}.dist-info"
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
    assert (metadata["Name"], metadata["Version"]) == (name, __version__)
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Summary"]
    assert "Typing :: Typed" in metadata.get_all("Classifier")
    assert metadata.get_payload().startswith(f"# {name}\n")
    assert f"{info}/licenses/LICENSE" in files
    assert f"{name.replace('-', '_')}/py.typed" in files
    assert not [path for path in files if "test_" in path]


@pytest.mark.parametrize("name", NAMES)
def test_a_source_distribution_has_the_tests_too(dist, name):
    with tarfile.open(dist / f"{name.replace('-', '_')}-{__version__}.tar.gz") as archive:
        files = archive.getnames()
    assert [path for path in files if "/tests/test_" in path]
    assert not [path for path in files if path.endswith(".pyc")]


def test_the_meta_package_runs_the_quick_start_and_remembers_it(dist, quickstart, tmp_path):
    wheels = [wheel(dist, name) for name in NAMES if name not in EXTRA]
    environment = Environment(tmp_path, *wheels)
    (tmp_path / "quickstart.py").write_text(quickstart)
    task_id = environment.run(QUICK_START, "first").strip()
    assert len(task_id) == 36
    environment.run(QUICK_START, "after a restart")


def test_the_meta_package_brings_little_beyond_fastapi(dist, tmp_path):
    wheels = [wheel(dist, name) for name in NAMES if name not in EXTRA]
    (tmp_path / "plain").mkdir()
    plain = Environment(tmp_path / "plain", "fastapi").distributions()
    with_us = Environment(tmp_path, *wheels).distributions()
    assert {name for name in with_us - plain if "taskflow" not in name} == DASHBOARD


def test_the_core_alone_runs_a_retrying_task(dist, tmp_path):
    environment = Environment(tmp_path, wheel(dist, "fastapi-taskflow-core"))
    environment.run(CORE_ALONE)
    assert {name for name in environment.distributions() if "taskflow" in name} == {
        "fastapi-taskflow-core"
    }


def test_the_sqlite_backend_alone_keeps_tasks(dist, tmp_path):
    needed = ["fastapi-taskflow-core", "fastapi-taskflow-sql", "fastapi-taskflow-sqlite"]
    Environment(tmp_path, *(wheel(dist, name) for name in needed)).run(SQLITE_ALONE)
