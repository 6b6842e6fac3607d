"""``hatch run matrix sqlite|all [pytest options]``: the tests of one backend, or of all.

Each backend has its conformance suite and its own tests, the fault suite over it, and what is
tested over every kind of storage, over it alone.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAULTS = "tests-integration/faults"
FAULTS_OF_PROCESSES = [
    f"{FAULTS}/test_{name}.py"
    for name in ("clients", "crash_points", "crashes", "forks", "frozen", "ownership", "stops")
]
OVER_EVERY_KIND = [f"tests-integration/test_{n}.py" for n in ("instances", "schedules", "secrets")]
OVER_EVERY_SERVER = [*OVER_EVERY_KIND, f"{FAULTS}/test_servers.py"]
BACKENDS = {
    "memory": (["packages/core"], []),
    "mysql": (["packages/sql", "packages/mysql", *FAULTS_OF_PROCESSES], OVER_EVERY_SERVER),
    "postgres": (["packages/sql", "packages/postgres", *FAULTS_OF_PROCESSES], OVER_EVERY_SERVER),
    "redis": (["packages/redis", *FAULTS_OF_PROCESSES], OVER_EVERY_SERVER),
    "sqlite": (["packages/sql", "packages/sqlite", FAULTS], OVER_EVERY_KIND),
}
"""By name: tests of this backend alone, and tests of which those are chosen that name it."""


def main(arguments: list[str]) -> int:
    """Run the tests of the backend named first; what follows is pytest's."""
    names = sorted(BACKENDS) if arguments[:1] == ["all"] else arguments[:1]
    if not names or not set(names) <= BACKENDS.keys():
        print(f"usage: hatch run matrix {'|'.join([*sorted(BACKENDS), 'all'])}", file=sys.stderr)
        return 2
    return max(_run(name, arguments[1:]) for name in names)


def _run(name: str, options: list[str]) -> int:
    own, shared = BACKENDS[name]
    codes = [_pytest(name, [*own, *options])]
    if shared:
        codes.append(_pytest(name, [*shared, "-k", f"[{name}", *options]))
    return max(codes)


def _pytest(name: str, arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    environment = {**os.environ, "TASKFLOW_BACKENDS": name}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
