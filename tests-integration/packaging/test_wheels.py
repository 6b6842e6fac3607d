"""As users get it: every distribution built, and installed from what was built alone."""

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import programs
import pytest
from packaging.requirements import Requirement

from fastapi_taskflow_core.__about__ import __version__
from places import KINDS, place

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
    page = client.get("/tasks/dashboard/tasks").text
    assert "send_email" in page
    style = re.search('href="[.]{2}/([^"]+[.]css)"', page)[1]
    assert client.get("/tasks/" + style).headers["content-type"].startswith("text/css")
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


def metadata(path: Path) -> Message:
    """What a wheel says of itself; its payload is the README."""
    name = f"{'-'.join(path.name.split('-')[:2])}.dist-info/METADATA"
    with zipfile.ZipFile(path) as archive:
        return Parser().parsestr(archive.read(name).decode())


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
    about = metadata(wheel(dist, name))
    assert (about["Name"], about["Version"]) == (name, __version__)
    assert about["License-Expression"] == "MIT"
    assert about["Requires-Python"] == ">=3.11"
    assert about["Summary"]
    pythons = {f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)}
    assert {*pythons, "Framework :: FastAPI", "Typing :: Typed"} <= set(about.get_all("Classifier"))
    assert about.get_payload().startswith(f"# {name}\n")
    info = f"{name.replace('-', '_')}-{__version__}.dist-info"
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


def needed(dist: Path, name: str, extra: str = "") -> dict[str, Path]:
    """The wheel of a package and those of ours that it needs, by name."""
    found, asked = {}, [(name, extra)]
    while asked:
        each, chosen = asked.pop()
        found[each] = wheel(dist, each)
        for line in metadata(found[each]).get_all("Requires-Dist", []):
            wanted = Requirement(line)
            ours = wanted.name.startswith("fastapi-taskflow")
            if ours and (wanted.marker is None or wanted.marker.evaluate({"extra": chosen})):
                asked += [(wanted.name, further) for further in wanted.extras or [""]]
    return found


def test_the_wheels_that_installing_names_are_those_that_the_meta_package_needs(dist):
    page = (ROOT / "docs/installing.md").read_text()
    named = re.search(r"pip install dist/fastapi_taskflow\{(.*?)\}", page)[1].split(",")
    wanted = needed(dist, "fastapi-taskflow")
    assert {f"fastapi-taskflow{each.replace('_', '-')}" for each in named} == wanted.keys()


def test_every_extra_is_tried_here(dist):
    extras = metadata(wheel(dist, "fastapi-taskflow")).get_all("Provides-Extra")
    assert set(extras) == {*programs.WITH_EXTRA, "all"}


@pytest.mark.parametrize("extra", [*programs.WITH_EXTRA, "all"])
def test_an_extra_makes_possible_what_it_is_for(dist, extra, tmp_path):
    wheels = needed(dist, "fastapi-taskflow", extra)
    meta = f"fastapi-taskflow[{extra}] @ {wheels.pop('fastapi-taskflow').as_uri()}"
    environment = Environment(tmp_path, meta, *wheels.values())
    ours = {each for each in environment.distributions() if "taskflow" in each}
    assert ours == {"fastapi-taskflow", *wheels}
    chosen = programs.WITH_EXTRA if extra == "all" else {extra: programs.WITH_EXTRA[extra]}
    environment.run("\n".join(chosen.values()))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "fastapi-taskflow"])
def test_a_package_alone_does_its_work_and_what_its_readme_shows(dist, name, tmp_path):
    wheels = needed(dist, name)
    environment = Environment(tmp_path, *wheels.values())
    assert {each for each in environment.distributions() if "taskflow" in each} == wheels.keys()
    readme = metadata(wheels[name]).get_payload()
    environment.run(
        "\n".join(re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL))
    )
    kind = name.removeprefix("fastapi-taskflow-")
    if kind in KINDS:
        with place(kind) as where:
            environment.run(programs.STORAGE, where.url)
    else:
        environment.run(programs.ALONE[kind])
