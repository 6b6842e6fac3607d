"""``hatch run imports``: what ``import fastapi_taskflow`` adds to ``import fastapi``."""

import os
import re
import subprocess
import sys
from tempfile import TemporaryDirectory

RUNS = 5
PROGRAM = "import fastapi, fastapi_taskflow"


def measured(bytecode: str) -> tuple[float, float]:
    """Milliseconds for FastAPI, and for what comes on top, by ``python -X importtime``."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", PROGRAM],
        env=os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""},
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    plain, ours = (
        int(re.findall(rf"(\d+) \| {name}$", told, re.MULTILINE)[-1]) / 1_000
        for name in ("fastapi", "fastapi_taskflow")
    )
    return plain, ours


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        measured(folder)  # compiles everything, as an installation does
        runs = [measured(folder) for _ in range(RUNS)]
    plain, ours = map(min, zip(*runs, strict=True))
    print(f"import fastapi:          {plain:4.0f} ms")
    print(f"import fastapi_taskflow: {ours:4.0f} ms more")
    print(f"The fastest of {RUNS} runs.")
