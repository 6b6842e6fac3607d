"""``hatch run build [FOLDER]``: every wheel and source distribution, into ``dist/``."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def build(folder: Path) -> None:
    """Build all packages into *folder*, in place of what was built before."""
    for earlier in folder.glob("fastapi_taskflow*"):
        earlier.unlink()
    for project in sorted(ROOT.glob("packages/*/pyproject.toml")):
        command = [sys.executable, "-m", "uv", "build", "--quiet", "--out-dir", str(folder)]
        subprocess.run([*command, str(project.parent)], check=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) == 2 else ROOT / "dist")
