"""``hatch run matrix sqlite|all [pytest options]``: the tests of one backend, or of all.

Each backend has its conformance suite and its own tests, the fault suite over it, and what
crosses packages, over it alone.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAULTS = [
    f"tests-integration/faults/test_{name}.py"
    for name in ("crashes", "frozen", "ownership", "stops")
]
SHARED = ["instances", "schedules", "secrets"]
BACKENDS = {
    "memory": ["packages/core"],
    "mysql": ["packages/sql", "packages/mysql", *FAULTS],
    "postgres": ["packages/sql", "packages/postgres", *FAULTS],
    "redis": ["packages/redis", *FAULTS],
    "sqlite": ["packages/sql", "packages/sqlite", "tests-integration/faults"],
}


def main(arguments: list[str]) -> int:
    """Run the tests of the backend named first; what follows is pytest's."""
    names = sorted(BACKENDS) if arguments[:1] == ["all"] else arguments[:1]
    if not names or not set(names) <= BACKENDS.keys():
        print(f"usage: hatch run matrix {'|'.join([*sorted(BACKENDS), 'all'])}", file=sys.stderr)
        return 2
    return max(_run(name, arguments[1:]) for name in names)


def _run(name: str, options: list[str]) -> int:
    """One backend: its own folders, then of the tests over every kind those over this one."""
    environment = {**os.environ, "TASKFLOW_BACKENDS": name}
    runs = [[*BACKENDS[name], *options]]
    if name != "memory":
        of_it = [f"tests-integration/test_{each}.py" for each in SHARED]
        runs.append([*of_it, "tests-integration/faults/test_servers.py", "-k", f"[{name}"])
        if name == "sqlite":
            runs[-1].remove("tests-integration/faults/test_servers.py")
    return max(
        subprocess.run(
            [sys.executable, "-m", "pytest", *run], cwd=ROOT, env=environment, check=False
        ).returncode
        for run in runs
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
