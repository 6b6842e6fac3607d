"""``hatch run soak sqlite|postgres|mysql|redis``: the faults in large numbers, then at random.

The large numbers take an hour or so, the faults at random as long as ``--minutes`` says.
"""

import argparse
import os
import subprocess
import sys

from matrix import BACKENDS, FAULTS, FAULTS_OF_PROCESSES, ROOT

OF_SERVERS = f"{FAULTS}/test_servers.py"
AT_RANDOM = f"{FAULTS}/soak.py"


def main(arguments: list[str]) -> int:
    """Run both parts, or one of them, over one kind of storage."""
    parser = argparse.ArgumentParser(prog="hatch run soak", description=__doc__)
    parser.add_argument("backend", choices=sorted(BACKENDS.keys() - {"memory"}))
    parser.add_argument("--minutes", type=float, default=30, help="of faults at random")
    parser.add_argument("--seed", type=int, help="repeats an order of faults")
    parser.add_argument("--only", choices=["large", "random"], help="one of the two parts")
    chosen = parser.parse_args(arguments)
    codes = []
    if chosen.only != "random":
        codes += _large_numbers(chosen.backend)
    if chosen.only != "large":
        how = {"TASKFLOW_MINUTES": f"{chosen.minutes:g}"}
        if chosen.seed is not None:
            how["TASKFLOW_SEED"] = f"{chosen.seed}"
        codes.append(_pytest(chosen.backend, [AT_RANDOM], how))
    return max(codes)


def _large_numbers(backend: str) -> list[int]:
    large = {"TASKFLOW_SOAK": "1"}
    if backend == "sqlite":
        return [_pytest(backend, [FAULTS, "--ignore", OF_SERVERS], large)]
    of_the_server = [OF_SERVERS, "-k", f"[{backend}"]
    return [_pytest(backend, files, large) for files in (FAULTS_OF_PROCESSES, of_the_server)]


def _pytest(backend: str, arguments: list[str], settings: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--timeout", "1800", *arguments]
    environment = {**os.environ, "TASKFLOW_BACKENDS": backend, **settings}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
