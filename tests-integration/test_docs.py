"""Every Python block of README and documentation runs; the tables say what the code says."""

import ast
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI

from fastapi_taskflow import (
    FileLogger,
    InMemoryLogger,
    ManagedBackgroundTasks,
    StdoutLogger,
    TaskAdmin,
    TaskManager,
)
from fastapi_taskflow_core.options import CALL_OPTION_NAMES

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("packages/*/README.md")),
]
FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)^```$", re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \| (?:`(.*?)`)? \|", re.MULTILINE)
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
    assert {fence[1] for fence in FENCE.finditer(page.read_text())} <= {"console", "python", "text"}


@each_page
def test_links_to_files_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


def section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    return (ROOT / "docs" / page).read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]


def table(page: str, heading: str) -> dict[str, object]:
    """Names and defaults of the table under a heading."""
    return {name: ast.literal_eval(shown) for name, shown in ROW.findall(section(page, heading))}


def defaults(call: object) -> dict[str, object]:
    parameters = inspect.signature(call).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}
