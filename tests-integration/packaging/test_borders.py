"""Who may import whom. The table is the architecture of the packages."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "packages/core/src/fastapi_taskflow_core"
MAY_IMPORT = {
    "core": set(),
    "sql": {"core"},
    "sqlite": {"core", "sql"},
    "postgres": {"core", "sql"},
    "mysql": {"core", "sql"},
    "redis": {"core"},
    "scheduler": {"core"},
    "encryption": {"core"},
    "admin": {"core"},
    "testkit": {"core"},
    "fastapi-taskflow": {
        *("core", "sqlite", "postgres", "mysql", "redis", "scheduler", "encryption", "admin"),
    },
}
NEEDS_NO_IO = ["lifecycle", "metrics", "options", "records", "retry", "rollups"]
IO = {"asyncio", "fastapi", "logging", "os", "pathlib", "socket", "starlette", "threading"}

each_package = pytest.mark.parametrize("package", MAY_IMPORT)


def sources(package: str) -> list[Path]:
    return sorted((ROOT / "packages" / package / "src").rglob("*.py"))


def imported(source: Path) -> set[str]:
    """The modules a file imports by an absolute name, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module)
    return {name.partition(".")[0] for name in found}


def siblings(source: Path) -> set[str]:
    """The packages of this repository that a file imports."""
    ours = {name for name in imported(source) if name.startswith("fastapi_taskflow")}
    return {
        name.removeprefix("fastapi_taskflow").lstrip("_") or "fastapi-taskflow" for name in ours
    }


def requirements(package: str) -> set[str]:
    project = tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text())["project"]
    extras = project.get("optional-dependencies", {}).values()
    listed = [*project["dependencies"], *(each for extra in extras for each in extra)]
    names = {re.split("[<=>[]", each)[0] for each in listed}
    return {each.removeprefix("fastapi-taskflow-") for each in names if "taskflow" in each}


def test_the_table_names_every_package():
    assert MAY_IMPORT.keys() == {
        path.parent.name for path in ROOT.glob("packages/*/pyproject.toml")
    }


@each_package
def test_a_package_imports_only_the_siblings_it_may(package):
    allowed = MAY_IMPORT[package] | {package}
    for source in sources(package):
        assert siblings(source) <= allowed, source


@each_package
def test_what_a_package_requires_is_what_it_may_import(package):
    assert requirements(package) == MAY_IMPORT[package]


def test_the_core_imports_itself_only_relatively():
    for source in sources("core"):
        assert not siblings(source), source


def test_the_core_needs_nothing_but_fastapi_and_what_fastapi_brings():
    brought = {"fastapi", "starlette", "pydantic", "pydantic_core"}
    found = set().union(*map(imported, sources("core")))
    assert found - set(sys.stdlib_module_names) <= brought


@pytest.mark.parametrize("module", NEEDS_NO_IO)
def test_what_only_computes_imports_nothing_that_does_io(module):
    assert not imported(CORE / f"{module}.py") & IO
