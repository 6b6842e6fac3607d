"""One version, in one file; all packages are released together."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from fastapi_taskflow_core.__about__ import __version__

ROOT = Path(__file__).parents[2]
PROJECTS = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
ABOUT = "packages/core/src/fastapi_taskflow_core/__about__.py"

each_project = pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)


def siblings(project: Path) -> list[str]:
    """The requirements that name other packages of this repository."""
    table = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    extras = table.get("optional-dependencies", {}).values()
    listed = [*table["dependencies"], *(each for extra in extras for each in extra)]
    return [each for each in listed if each.startswith("fastapi-taskflow")]


@each_project
def test_every_package_reads_the_version_from_the_one_file(project):
    tool = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["hatch"]
    assert tool["version"].keys() == {"path"}
    assert (project / tool["version"]["path"]).resolve() == ROOT / ABOUT


@each_project
def test_siblings_are_pinned_to_exactly_this_version(project):
    for requirement in siblings(project):
        assert re.fullmatch(
            rf"fastapi-taskflow-[a-z]+(\[[a-z]+\])?=={re.escape(__version__)}", requirement
        )


@each_project
def test_what_is_installed_has_this_version(project):
    name = tomllib.loads((project / "pyproject.toml").read_text())["project"]["name"]
    assert version(name) == __version__


def test_a_release_is_a_bump_to_its_version_then_a_build_then_a_check():
    # A script that names another gives it its arguments once more than it says.
    scripts = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"]["default"]["scripts"]
    build = scripts["build"].removesuffix(" {args}")
    assert scripts["release"] == [scripts["bump"], build, "twine check --strict dist/*"]


@pytest.fixture
def copy(tmp_path):
    """What a release changes, in a folder of its own."""
    for path in [ROOT / ".ci/bump.py", ROOT / ABOUT, *ROOT.glob("packages/*/pyproject.toml")]:
        place = tmp_path / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n- Something new.\n")
    return tmp_path


def bump(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, folder / ".ci/bump.py", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def contents(folder: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_bump_sets_the_version_everywhere(copy):
    before = contents(copy)
    assert bump(copy, "7.8.9").returncode == 0
    for path, text in contents(copy).items():
        if path.name in {"pyproject.toml", "__about__.py"}:
            assert text == before[path].replace(__version__, "7.8.9")
    assert '"7.8.9"' in (copy / ABOUT).read_text()
    assert any("==7.8.9" in text for text in contents(copy).values())


def test_a_bump_gives_what_was_unreleased_a_heading_with_the_date(copy):
    assert bump(copy, "7.8.9").returncode == 0
    changelog = (copy / "CHANGELOG.md").read_text()
    assert re.search(
        r"## Unreleased\n\n## 7\.8\.9 - \d{4}-\d\d-\d\d\n\n- Something new\.\n", changelog
    )


@pytest.mark.parametrize(
    "origin",
    ["git@git.example.org:team/tasks.git", "https://git.example.org/team/tasks"],
)
def test_a_bump_links_every_package_to_where_the_repository_is(copy, origin):
    subprocess.run(["git", "init", "--quiet", copy], check=True)
    subprocess.run(["git", "-C", copy, "remote", "add", "origin", origin], check=True)
    assert bump(copy, "7.8.9").returncode == 0
    for project in copy.glob("packages/*/pyproject.toml"):
        links = tomllib.loads(project.read_text())["project"]["urls"]
        assert links.pop("Homepage") == "https://git.example.org/team/tasks"
        assert links.keys() == {"Documentation", "Changelog", "Issues"}


def test_a_bump_without_a_public_place_leaves_the_links_alone(copy):
    def links():
        projects = sorted(copy.glob("packages/*/pyproject.toml"))
        return [tomllib.loads(each.read_text())["project"].get("urls") for each in projects]

    before = links()
    assert "origin is no public place" in bump(copy, "7.8.9").stdout
    assert links() == before


@pytest.mark.parametrize("arguments", [[], ["1.4"], ["v1.4.0"], ["1.4.0", "1.5.0"]])
def test_a_bump_to_no_version_changes_nothing(copy, arguments):
    before = contents(copy)
    refused = bump(copy, *arguments)
    assert refused.returncode != 0
    assert "usage: hatch run bump X.Y.Z" in refused.stderr
    assert contents(copy) == before


@pytest.mark.parametrize(
    "changelog",
    ["# Changelog\n", "# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2026-01-01\n\n- Old.\n"],
)
def test_a_bump_without_anything_unreleased_changes_nothing(copy, changelog):
    (copy / "CHANGELOG.md").write_text(changelog)
    before = contents(copy)
    refused = bump(copy, "7.8.9")
    assert refused.returncode != 0
    assert "## Unreleased" in refused.stderr
    assert contents(copy) == before
