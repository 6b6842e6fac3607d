"""Every Python block of README and documentation runs, and every link leads somewhere."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from benchmarks import tables

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / ".github/SECURITY.md",
    ROOT / "examples/README.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("packages/*/README.md")),
]
FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)^```$", re.MULTILINE)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


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
    environments = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"]
    for name, script in re.findall(r"hatch run (?:(\w+):)?(\w+)", page.read_text()):
        scripts = environments[name or "default"]["scripts"]
        assert script in {*scripts, "python", "uvicorn"}, script


def test_contributing_names_every_command():
    environments = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"]
    told = re.findall(
        r"^\| `hatch run ([\w:]+)", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE
    )
    scripts = {*environments["default"]["scripts"], "lowest:test"}
    assert sorted(told) == sorted(scripts)


def anchors(page: Path) -> set[str]:
    """What a heading of the page can be linked by."""
    headings = HEADING.findall(FENCE.sub("", page.read_text()))
    words = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[-\s]+", "-", each) for each in words}


@each_page
def test_links_lead_to_a_file_and_to_a_heading_in_it(page):
    text = FENCE.sub("", page.read_text())
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', text)
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", text)
    for link in [*links, *pictures]:
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert target.suffix != ".md" or not anchor or anchor in anchors(target), link


def test_the_site_builds_strictly_and_needs_nothing_from_elsewhere(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    command += ["--config-file", ROOT / ".mkdocs.yml", "--site-dir", tmp_path]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    pages = [page.read_text() for page in tmp_path.rglob("*.html")]
    assert len(pages) >= len(list(ROOT.glob("docs/*.md")))
    loaded = r"<(?:link|script|img)[^>]* (?:href|src)=\"?https?:"
    assert not [page for page in pages if re.search(loaded, page)]


@pytest.mark.timeout(600)
def test_the_backend_of_the_worked_example_passes_the_whole_conformance_suite(tmp_path):
    blocks = FENCE.findall((ROOT / "docs/new-backend.md").read_text())
    program = "\n".join(text for kind, text in blocks if kind == "python")
    (tmp_path / "test_small_backend.py").write_text(program)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    tested = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout
    assert int(re.search(r"(\d+) passed", tested.stdout)[1]) > 300


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_figures_of_speed_are_those_that_were_measured(page):
    measured = json.loads((ROOT / "docs/benchmarks.json").read_text())
    text = (ROOT / page).read_text()
    assert "<!-- figures: " in text
    assert tables.filled(text, measured) == text
