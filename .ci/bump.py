"""``hatch run bump 1.4.0``: one version, everywhere, and a heading in the changelog.

Distributions link to where ``origin`` is, if that is a public place.
"""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import tomlkit

ROOT = Path(__file__).parent.parent
ABOUT = ROOT / "packages/core/src/fastapi_taskflow_core/__about__.py"
CHANGELOG = ROOT / "CHANGELOG.md"
LINKS = {
    "Homepage": "",
    "Documentation": "/blob/main/docs/index.md",
    "Changelog": "/blob/main/CHANGELOG.md",
    "Issues": "/issues",
}


def bump(version: str) -> None:
    """Set *version* for all distributions."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise SystemExit(f"usage: hatch run bump X.Y.Z, got {version!r}")
    _, heading, unreleased = CHANGELOG.read_text().partition("## Unreleased\n")
    if not heading:
        raise SystemExit("CHANGELOG.md has no heading '## Unreleased'")
    if "\n- " not in unreleased.partition("\n## ")[0]:
        raise SystemExit("CHANGELOG.md says nothing under '## Unreleased'")
    ABOUT.write_text(re.sub(r'"\d+\.\d+\.\d+"', f'"{version}"', ABOUT.read_text()))
    address = _address()
    if address is None:
        print("origin is no public place: the links of the packages stay as they are")
    for project in ROOT.glob("packages/*/pyproject.toml"):
        _pin(project, version, address)
    today = datetime.now(UTC).date()
    text = CHANGELOG.read_text()
    heading = f"## Unreleased\n\n## {version} - {today}\n"
    CHANGELOG.write_text(text.replace("## Unreleased\n", heading, 1))


def _address() -> str | None:
    """Where people find the repository; None if ``origin`` is a folder, or not there."""
    asked = ["git", "-C", str(ROOT), "remote", "get-url", "origin"]
    remote = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()
    found = re.fullmatch(r"(?:https://|(?:ssh://)?git@)([\w.-]+)[/:]([\w./-]+?)(?:\.git)?", remote)
    return None if found is None else f"https://{found[1]}/{found[2]}"


def _pin(project: Path, version: str, address: str | None) -> None:
    document = tomlkit.parse(project.read_text())
    tables = [document["project"]["dependencies"]]
    tables += document["project"].get("optional-dependencies", {}).values()
    for requirements in tables:
        for place, requirement in enumerate(requirements):
            if requirement.startswith("fastapi-taskflow-"):
                requirements[place] = f"{requirement.partition('==')[0]}=={version}"
    if address is not None:
        links = tomlkit.table()
        links.update({name: f"{address}{path}" for name, path in LINKS.items()})
        links.add(tomlkit.nl())
        document["project"]["urls"] = links
    project.write_text(tomlkit.dumps(document))


if __name__ == "__main__":
    bump(sys.argv[1] if len(sys.argv) == 2 else "")
