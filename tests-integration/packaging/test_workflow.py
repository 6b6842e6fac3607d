"""What runs on the public host is what a developer can run here."""

import re
import tomllib
from pathlib import Path

from places import KINDS

ROOT = Path(__file__).parents[2]
WORKFLOW = (ROOT / ".github/workflows/ci.yml").read_text()


def test_every_command_of_the_workflow_is_one_of_ours():
    scripts = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"]["default"]["scripts"]
    called = set(re.findall(r"hatch run (\w+)", WORKFLOW))
    assert called
    assert called <= scripts.keys()


def test_it_tests_every_version_of_python_that_the_packages_name():
    project = tomllib.loads((ROOT / "packages/core/pyproject.toml").read_text())["project"]
    named = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))
    (tested,) = re.findall(r"python: \[(.*)\]", WORKFLOW)
    assert re.findall(r"3\.\d+", tested) == named


def test_every_folder_that_it_names_exists():
    for folder in re.findall(r"packages/[\w-]+", WORKFLOW):
        assert (ROOT / folder / "tests").is_dir()


def test_every_server_that_a_backend_needs_has_its_tests():
    (matrix,) = re.findall(r"backend: \[(.*)\]", WORKFLOW)
    assert {"sqlite", *matrix.split(", ")} == set(KINDS)
