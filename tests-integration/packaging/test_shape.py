"""All packages look alike: whoever knows one knows them all."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECTS = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
KEYS = [
    "build-system.requires",
    "build-system.build-backend",
    "project.name",
    "project.dynamic",
    "project.description",
    "project.readme",
    "project.requires-python",
    "project.license",
    "project.license-files",
    "project.keywords",
    "project.classifiers",
    "project.dependencies",
    "project.optional-dependencies",
    "project.entry-points",
    "project.urls",
    "tool.hatch.version",
    "tool.hatch.build",
]
OPTIONAL = {"project.optional-dependencies", "project.entry-points", "project.urls"}
SHARED = [
    "dynamic",
    "readme",
    "requires-python",
    "license",
    "license-files",
    "keywords",
    "classifiers",
    "urls",
]

each_project = pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)


def read(project: Path) -> dict:
    return tomllib.loads((project / "pyproject.toml").read_text())


def module_of(project: Path) -> str:
    return read(project)["project"]["name"].replace("-", "_")


def keys(table: dict) -> list[str]:
    """The keys as they stand in the file, down to the second level (third below ``tool``)."""
    found = []
    for name, part in table.items():
        for key, value in part.items():
            below = value if name == "tool" else {}
            found += [f"{name}.{key}.{last}" for last in below] or [f"{name}.{key}"]
    return found


@each_project
def test_the_keys_stand_in_the_same_order(project):
    found = keys(read(project))
    assert found == [key for key in KEYS if key in found or key not in OPTIONAL]


@each_project
def test_what_holds_for_all_is_said_alike_by_all(project):
    first, this = (read(each)["project"] for each in (PROJECTS[0], project))
    assert {key: this.get(key) for key in SHARED} == {key: first.get(key) for key in SHARED}


@each_project
def test_folder_distribution_and_module_have_one_name(project):
    name = read(project)["project"]["name"]
    assert name == f"fastapi-taskflow-{project.name}" or project.name == name
    assert [path.name for path in (project / "src").iterdir() if path.is_dir()] == [
        module_of(project)
    ]
    built = read(project)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert built == [f"src/{module_of(project)}"]


@each_project
def test_every_package_is_typed_licensed_described_and_tested(project):
    assert (project / "src" / module_of(project) / "py.typed").read_bytes() == b""
    assert (project / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert (project / "README.md").read_text().startswith(f"# {read(project)['project']['name']}\n")
    assert list((project / "tests").glob("test_*.py"))


@each_project
def test_every_readme_shows_an_example(project):
    assert "\n```python\n" in (project / "README.md").read_text()


def test_no_two_packages_have_one_description():
    said = [read(project)["project"]["description"] for project in PROJECTS]
    assert len(set(said)) == len(PROJECTS) >= 6


@pytest.mark.parametrize("environment", ["default", "lowest"])
def test_a_folder_of_bytecode_among_the_packages_is_no_package(environment):
    # hatch refuses every command where a member of the workspace is no project.
    settings = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"][environment]
    excluded = settings["workspace"]["exclude"]
    assert settings["workspace"]["members"] == ["packages/*"]
    folders = {f"packages/{path.name}" for path in ROOT.glob("packages/*") if path.is_dir()}
    projects = {f"packages/{project.name}" for project in PROJECTS}
    assert (folders | {"packages/__pycache__"}) - set(excluded) == projects
