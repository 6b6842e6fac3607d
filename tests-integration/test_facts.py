"""What the documentation says of the code is what the code says: options, routes, figures."""

import ast
import inspect
import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from packaging.requirements import Requirement

import fastapi_taskflow
from fastapi_taskflow import (
    FileLogger,
    InMemoryLogger,
    StdoutLogger,
    TaskAdmin,
    TaskManager,
    TaskStatus,
    backends,
)
from fastapi_taskflow.backends import MySQLBackend, PostgresBackend, RedisBackend, SqliteBackend
from fastapi_taskflow_admin.api.schemas import TaskDetail
from fastapi_taskflow_admin.mounting import ROUTERS
from fastapi_taskflow_admin.pages import login
from fastapi_taskflow_core.metrics import SeriesRange
from fastapi_taskflow_core.options import CALL_OPTION_NAMES
from places import KINDS

ROOT = Path(__file__).parent.parent
PACKAGES = ROOT / "packages"
FRAGMENTS = {"/tasks/dashboard/rows"}
"""What scripts read, as parts of pages."""


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
        ("backends.md", "SQLite", SqliteBackend),
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


def first_column(page: str, heading: str) -> list[str]:
    """The code in the first column of the tables under a heading."""
    return re.findall(r"^\| `(.*?)` \|", section(page, heading), re.MULTILINE)


def routes() -> set[tuple[str, str]]:
    """All that the admin serves, with and without a login."""
    every = [route for router in (*ROUTERS, login.router) for route in router.routes]
    return {
        (method, f"/tasks{route.path.replace(':path', '')}")
        for route in every
        for method in route.methods
    }


def test_the_endpoints_are_those_of_the_application():
    listed = r"^\| (GET|POST|DELETE|PATCH) \| `(/tasks[^`]*)` \|"
    told = re.findall(listed, section("api.md", "Endpoints"), re.MULTILINE)
    pages = {("GET", page) for page in first_column("dashboard.md", "Pages")}
    assert len(told) == len(set(told))
    assert {*told, *pages} == routes() - {("GET", page) for page in FRAGMENTS}


def test_the_ranges_of_a_series_are_those_of_the_code():
    told = re.search(r"`range` is (.*)\.", section("api.md", "Figures"))[1]
    assert tuple(re.findall(r"`(\w+)`", told)) == get_args(SeriesRange)


def test_the_keys_of_the_dashboard_are_those_that_its_script_knows():
    script = (PACKAGES / "admin/src/fastapi_taskflow_admin/static/js/keys.js").read_text()
    known = ast.literal_eval(re.search(r"HELP = (\[.*?\n\]);", script, re.DOTALL)[1])
    rows = re.findall(
        r"^\| `(.*?)` \| (.*?) \|$", section("dashboard.md", "Keyboard"), re.MULTILINE
    )
    assert [list(row) for row in rows] == known


def test_the_statuses_and_fields_of_a_task_are_those_of_the_code():
    assert first_column("lifecycle.md", "Status") == [status.value for status in TaskStatus]
    told = first_column("lifecycle.md", "What is known of it")
    assert set(told) == TaskDetail.model_fields.keys() - {"args"}


def project(package: str) -> dict:
    return tomllib.loads((PACKAGES / package / "pyproject.toml").read_text())["project"]


def brought(requirement: str) -> set[str]:
    """What of others a requirement of ours brings."""
    wanted = Requirement(requirement)
    if not wanted.name.startswith("fastapi-taskflow"):
        return {wanted.name}
    about = project(wanted.name.removeprefix("fastapi-taskflow-"))
    extras = [about["optional-dependencies"][extra] for extra in wanted.extras]
    listed = [each for extra in extras for each in extra] if extras else about["dependencies"]
    return {Requirement(each).name for each in listed if not each.startswith("fastapi-taskflow")}


def test_the_extras_are_those_of_the_package_and_bring_what_they_say():
    extras = project("fastapi-taskflow")["optional-dependencies"]
    rows = re.findall(
        r"^\| `(\w+)` \| (.*?) \|",
        (ROOT / "docs/installing.md").read_text().partition("## Only")[0],
        re.MULTILINE,
    )
    told = {name: set(brings.split(", ")) for name, brings in rows}
    assert told.pop("all") == {"all of these"}
    assert told == {
        name: set().union(*map(brought, needed)) for name, needed in extras.items() if name != "all"
    }
    single = [each for name, needed in extras.items() if name != "all" for each in needed]
    assert sorted(extras["all"]) == sorted(single)


def test_the_distributions_are_those_that_there_are():
    there = {path.parent.name for path in PACKAGES.glob("*/pyproject.toml")} - {"fastapi-taskflow"}
    told = first_column("installing.md", "Only a part")
    assert set(told) == {f"fastapi-taskflow-{name}" for name in there}
    readme = re.findall(
        r"^\| \[fastapi-taskflow-(\w+)\]", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert set(readme) == there


def test_the_reference_has_every_public_name():
    told = set(re.findall(r"^::: (\S+)$", (ROOT / "docs/reference.md").read_text(), re.MULTILINE))
    names = {f"fastapi_taskflow.{name}" for name in fastapi_taskflow.__all__} - {
        "fastapi_taskflow.__version__"
    }
    stores = (*backends.__all__, "MySQLBackend", "PostgresBackend", "RedisBackend")
    returned = {name for name in told if name.startswith("fastapi_taskflow_core.")}
    assert told - returned == names | {f"fastapi_taskflow.backends.{name}" for name in stores}


def page_of(name: str) -> str:
    return " ".join((ROOT / "docs" / name).read_text().split())


def constant(file: str, name: str) -> float:
    """A constant of a module, found in its text; a time span is in seconds."""
    package, _, path = file.partition("/")
    source = PACKAGES / package / "src" / f"fastapi_taskflow_{package}" / path
    for node in ast.parse(source.read_text()).body:
        for target in getattr(node, "targets", ()):
            names = [each.id for each in getattr(target, "elts", [target])]
            if name in names:
                parts = getattr(node.value, "elts", [node.value])
                code = ast.unparse(parts[names.index(name)])
                value = eval(code, {"timedelta": timedelta})
                return value.total_seconds() if isinstance(value, timedelta) else value
    raise AssertionError(f"{file} has no {name}")


WORDS = {
    2: "two",
    3: "three",
    4: "four",
    5: "five",
    6: "six",
    7: "seven",
    10: "ten",
    100: "a hundred",
}


@pytest.mark.parametrize(
    ("page", "said", "where"),
    [
        ("api.md", "`limit` (50, at most {})", "admin/api/query.py LARGEST_PAGE"),
        ("api.md", "match the filters of the list, up to {}", "admin/api/schemas.py MOST_EXPECTED"),
        ("api.md", "names its tasks, at most {}", "admin/api/schemas.py MOST_IDS"),
        ("api.md", "of the newest {} tasks", "sql/pages.py SEARCHED"),
        ("api.md", "looks at {} tasks", "redis/pages.py LOOKED_AT"),
        ("architecture.md", "looks every {} seconds", "core/engine/upkeep.py _SWEEP"),
        ("architecture.md", "the weight of {} entries", "core/engine/journal.py CAPACITY"),
        ("architecture.md", "is silent for {} seconds", "core/engine/journal.py SILENCE"),
        ("architecture.md", "follow within {} seconds", "core/engine/journal.py LINGER"),
        ("architecture.md", "{} times a lease", "core/engine/membership.py _BEATS_PER_LEASE"),
        ("dashboard.md", "the newest {} failed tasks", "admin/pages/failures.py MOST"),
        ("deployment.md", "`drain_timeout` ({} seconds unless", "TaskManager drain_timeout"),
        ("deployment.md", "a sign of life every {} seconds", "admin/live/stream.py IDLE"),
        ("encryption.md", "text of {} characters", "encryption/masking.py _SHORTEST_TEXT"),
        ("encryption.md", "number of {} digits", "encryption/masking.py _SHORTEST_NUMBER"),
        ("encryption.md", "at most every {} seconds", "encryption/keyring.py ASK_AGAIN"),
        ("guarantees.md", "beyond {} changes", "core/engine/journal.py CAPACITY"),
        ("guarantees.md", "`lease` seconds ({} by default)", "TaskManager lease"),
        ("instances.md", "`lease` seconds ({} unless", "TaskManager lease"),
        (
            "instances.md",
            "lives, {} times in `lease`",
            "core/engine/membership.py _BEATS_PER_LEASE",
        ),
        ("instances.md", "Others look every {} seconds", "core/engine/upkeep.py _SWEEP"),
        (
            "lifecycle.md",
            "The first {} lines of an attempt",
            "core/engine/ledger.py _LINES_PER_ATTEMPT",
        ),
        ("persistence.md", "they do every {} seconds", "core/engine/upkeep.py _SWEEP"),
        ("persistence.md", "`None` is {} |", "core/engine/engine.py _THREADS"),
        ("running.md", "`None`: {} |", "core/engine/engine.py _THREADS"),
        ("running.md", "up to {} KiB", "core/results.py LIMIT / 1024"),
        ("schedules.md", "up to the last {}", "scheduler/misfire.py _MADE_UP_FOR"),
        ("schedules.md", "forgives {} seconds", "scheduler/misfire.py _PUNCTUAL"),
        ("schedules.md", "the latest {} are noted", "scheduler/misfire.py _MISSED_SHOWN"),
        ("schedules.md", "start within {} seconds", "scheduler/standing.py _ONE_START"),
        (
            "schedules.md",
            "remembered for {} days",
            "core/backends/scheduling.py SLOTS_KEPT / 86_400",
        ),
        ("security.md", "at most {} bytes", "admin/auth/passwords.py LONGEST"),
        ("security.md", "After {} failures", "admin/auth/throttle.py FREE"),
        ("security.md", "at last {} minutes", "admin/auth/throttle.py LONGEST_WAIT / 60"),
        ("security.md", "{} quiet minutes", "admin/auth/throttle.py MEMORY / 60"),
        ("security.md", "takes {} failures a minute", "admin/auth/throttle.py IN_ALL"),
        ("tasks.md", "at most {}: a mapping", "core/checks.py _TAGS"),
        ("tutorial.md", "`drain_timeout` ({} seconds)", "TaskManager drain_timeout"),
    ],
)
def test_figures_in_sentences_are_those_of_the_code(page, said, where):
    file, name, *unit = where.split(maxsplit=2)
    value = defaults(TaskManager)[name] if file == "TaskManager" else constant(file, name)
    if unit:
        value /= int(unit[0].removeprefix("/ "))
    number = int(value) if value == int(value) else value
    text = page_of(page)
    assert said.format(f"{number:,}") in text or said.format(WORDS.get(number)) in text


def test_the_oldest_versions_are_those_that_are_required():
    (fastapi,) = (each for each in project("core")["dependencies"] if each.startswith("fastapi>="))
    python = project("core")["requires-python"].removeprefix(">=")
    said = f"Python {python} or newer and FastAPI {fastapi.removeprefix('fastapi>=')} or newer"
    assert said in page_of("installing.md")


def test_the_options_of_the_benchmarks_are_those_of_the_program():
    program = (ROOT / "tests-integration/benchmarks/__main__.py").read_text()
    known = re.findall(r'add_argument\("(--\w+)"(?:.*?default=(?:Path\()?"?([\w.]+))?', program)
    rows = re.findall(
        r"^\| `(--\w+)` \| `?(.*?)`? ?\|", section("benchmarks.md", "Options"), re.MULTILINE
    )
    assert sorted((name, value.strip()) for name, value in rows) == sorted(
        (name, value.replace("_", "")) for name, value in known
    )


def test_environment_variables_are_read_by_the_code():
    pages = [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), ROOT / "examples/README.md"]
    said = re.findall(
        r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", " ".join(each.read_text() for each in pages)
    )
    sources = [
        path
        for at in ("packages", "tests-integration", "examples", ".ci")
        for path in (ROOT / at).rglob("*.py")
    ]
    code = " ".join(path.read_text() for path in sources)
    assert len(set(said)) >= 10
    servers = {f"TASKFLOW_{kind.upper()}_URL" for kind in KINDS}
    assert not {name for name in set(said) - servers if not re.search(rf'"{name}"|{name} ?=', code)}


CORE = PACKAGES / "core/src/fastapi_taskflow_core"
ADMIN = PACKAGES / "admin/src/fastapi_taskflow_admin"


def test_the_rooms_of_the_core_that_are_described_are_those_that_there_are():
    rows = re.findall(
        r"^\| (`.*?) \|", section("architecture.md", "The core, room by room"), re.MULTILINE
    )
    rooms = set(re.findall(r"`(.*?)`", " ".join(rows)))
    assert not [room for room in rooms if not (CORE / room).exists()]
    modules = [*CORE.glob("[!_]*.py"), *CORE.glob("engine/[!_]*.py")]
    assert {str(path.relative_to(CORE)) for path in modules} <= rooms


def test_files_that_the_picture_and_its_legend_name_are_there():
    picture = (ROOT / "docs/images/architecture.svg").read_text()
    named = re.findall(r"[\w/]+\.py|\w+/(?=<)", picture)
    named += re.findall(r"`([\w/]+(?:\.py|/))`", section("architecture.md", "Where would I add"))
    places = (CORE, ADMIN, PACKAGES / "sql/src/fastapi_taskflow_sql")
    assert len(named) > 25
    assert not [each for each in named if not any((at / each).exists() for at in places)]


@pytest.mark.parametrize("page", ["guarantees.md", "faults.md"])
def test_every_test_that_is_said_to_prove_a_guarantee_is_there(page):
    said = (ROOT / "docs" / page).read_text()
    assert "not proved" not in said
    places = [*ROOT.glob("packages/*/tests"), ROOT / "tests-integration"]
    files = [path for at in places for path in at.rglob("test_*.py")]
    named = set(re.findall(r"`(test_\w+\.py)`", said))
    assert named <= {path.name for path in files}
    tests = "".join(path.read_text() for path in files)
    functions = set(re.findall(r"`(test_\w+)`", said))
    assert not [each for each in functions if f"def {each}(" not in tests]
    suite = ROOT / "packages/testkit/src/fastapi_taskflow_testkit/conformance"
    assert all((suite / name).exists() for name in re.findall(r"conformance: `(\w+\.py)`", said))


def test_every_test_of_faults_is_said_to_prove_something():
    pages = "".join((ROOT / "docs" / page).read_text() for page in ("guarantees.md", "faults.md"))
    faults = (ROOT / "tests-integration/faults").glob("test_*.py")
    assert not [path.name for path in faults if f"`{path.name}`" not in pages]
