"""``hatch run build``: every wheel and source distribution into ``dist/``."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

for project in sorted((ROOT / "packages").iterdir()):
    command = [sys.executable, "-m", "build", "--installer", "uv", "--outdir", "dist", str(project)]
    subprocess.run(command, check=True, cwd=ROOT)
