"""Every Python block of README and documentation runs; the tables say what the code says."""

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from fastapi import FastAPI

import fastapi_taskflow
from fastapi_taskflow import (
    FileLogger,
    InMemoryLogger,
    StdoutLogger,
    TaskAdmin,
    TaskManager,
    backends,
)
from fastapi_taskflow.backends import MySQLBackend, PostgresBackend, RedisBackend
from fastapi_taskflow_core.options import CALL_OPTION_NAMES

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("packages/*/README.md")),
]
FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)^```$", re.MULTILINE)
ENDPOINT = re.compile(r"^\| (GET|POST|DELETE|PATCH) \| `(/tasks[^`]*)` \|", re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@each_page
def test_the_python_blocks_of_a_page_run_one_after_another(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = ModuleType(f"page_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    text = page.read_text()
    for fence in FENCE.finditer(text):
        if fence[1] == "python":
            above = text[: fence.start(2)].count("\n")
            exec(compile("\n" * above + fence[2], page, "exec"), vars(module))  # noqa: S102


@each_page
def test_every_block_says_what_it_is(page):
    kinds = {fence[1] for fence in FENCE.finditer(page.read_text())}
    assert kinds <= {"console", "python", "text", "yaml"}


@each_page
def test_yaml_can_be_read(page):
    for fence in FENCE.finditer(page.read_text()):
        if fence[1] == "yaml":
            assert isinstance(yaml.safe_load(fence[2]), dict)


@each_page
def test_commands_of_hatch_are_there(page):
    scripts = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"]["default"]["scripts"]
    called = set(re.findall(r"hatch run ([a-z]+)\b(?!:)", page.read_text()))
    assert called - {"uvicorn", "lowest"} <= scripts.keys()


@each_page
def test_links_to_files_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_site_builds_strictly_and_needs_nothing_from_elsewhere(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    command += ["--config-file", ROOT / ".mkdocs.yml", "--site-dir", tmp_path]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    pages = [page.read_text() for page in tmp_path.rglob("*.html")]
    assert len(pages) >= len(list(ROOT.glob("docs/*.md")))
    loaded = r"<(?:link|script|img)[^>]* (?:href|src)=\"?https?:"
    assert not [page for page in pages if re.search(loaded, page)]


def section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    return (ROOT / "docs" / page).read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]


def defaults(call: object) -> dict[str, object]:
    parameters = inspect.signature(call).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


@pytest.mark.parametrize(
    ("page", "heading", "call"),
    [
        ("tasks.md", "The decorator", TaskManager.task),
        ("schedules.md", "The decorator", TaskManager.schedule),
        ("persistence.md", "Options of the manager", TaskManager),
        ("observers.md", "FileLogger", FileLogger),
        ("observers.md", "StdoutLogger", StdoutLogger),
        ("observers.md", "InMemoryLogger", InMemoryLogger),
        ("api.md", "Options of the admin", TaskAdmin),
        ("backends.md", "PostgreSQL", PostgresBackend),
        ("backends.md", "MySQL and MariaDB", MySQLBackend),
        ("backends.md", "Redis", RedisBackend),
    ],
)
def test_options_and_defaults_are_those_of_the_code(page, heading, call):
    written = section(page, heading)
    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \|", written, re.MULTILINE)
    told = {name: eval(default) for name, default in rows}  # noqa: S307
    assert told == defaults(call)


def test_the_options_of_a_call_are_those_of_the_code():
    told = re.findall(r"^\| `(\w+)` \|", section("tasks.md", "Options of a call"), re.MULTILINE)
    assert set(told) == CALL_OPTION_NAMES


def test_the_endpoints_are_those_of_the_application():
    app = FastAPI()
    TaskAdmin(app, TaskManager())
    paths = app.openapi()["paths"].items()
    served = {(method.upper(), path) for path, methods in paths for method in methods}
    assert set(ENDPOINT.findall(section("api.md", "Endpoints"))) == served


def test_the_reference_has_every_public_name():
    told = set(re.findall(r"^::: (\S+)$", (ROOT / "docs/reference.md").read_text(), re.MULTILINE))
    names = {f"fastapi_taskflow.{name}" for name in fastapi_taskflow.__all__} - {
        "fastapi_taskflow.__version__"
    }
    stores = (*backends.__all__, "MySQLBackend", "PostgresBackend", "RedisBackend")
    assert told == names | {f"fastapi_taskflow.backends.{name}" for name in stores}


@pytest.mark.timeout(120)
def test_the_backend_of_the_worked_example_passes_the_whole_conformance_suite(tmp_path):
    blocks = FENCE.findall((ROOT / "docs/new-backend.md").read_text())
    program = "\n".join(text for kind, text in blocks if kind == "python")
    (tmp_path / "test_small_backend.py").write_text(program)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    tested = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout
    assert int(re.search(r"(\d+) passed", tested.stdout)[1]) > 300


def test_every_room_of_the_core_that_is_described_exists():
    core = ROOT / "packages/core/src/fastapi_taskflow_core"
    rows = re.findall(
        r"^\| (`.*?) \|", section("architecture.md", "The core, room by room"), re.MULTILINE
    )
    rooms = re.findall(r"`(.*?)`", " ".join(rows))
    assert len(rooms) > 30
    assert not [room for room in rooms if not (core / room).exists()]


def test_every_test_that_is_said_to_prove_a_guarantee_is_there():
    said = (ROOT / "docs/guarantees.md").read_text()
    places = [*ROOT.glob("packages/*/tests"), ROOT / "tests-integration"]
    files = {path.name: path.read_text() for at in places for path in at.rglob("test_*.py")}
    named = set(re.findall(r"`(test_\w+\.py)`", said))
    assert named <= files.keys()
    functions = set(re.findall(r"`(test_\w+)`", said))
    assert not [
        each for each in functions if not any(f"def {each}(" in it for it in files.values())
    ]
    suite = ROOT / "packages/testkit/src/fastapi_taskflow_testkit/conformance"
    assert all((suite / name).exists() for name in re.findall(r"conformance: `(\w+\.py)`", said))
