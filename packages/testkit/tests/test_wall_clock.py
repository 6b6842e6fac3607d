"""The time of day of one process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fastapi_taskflow_testkit.faults import WallClock, library
from fastapi_taskflow_testkit.servers import missing


@pytest.fixture(autouse=True)
def _installed() -> None:
    if library() is None:
        missing("libfaketime", "apt-get install libfaketime")


PROGRAM = """
import sys, time
for line in sys.stdin:
    print(time.time(), time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME))
"""


def test_the_wall_clock_jumps_alone_and_while_the_process_runs(tmp_path: Path) -> None:
    clock = WallClock(tmp_path / "clock", 3_600)
    with subprocess.Popen(
        [sys.executable, "-uc", PROGRAM],
        env={**os.environ, **clock.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def ahead() -> list[float]:
            assert process.stdin
            assert process.stdout
            process.stdin.write("\n")
            process.stdin.flush()
            ours = time.time(), time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)
            theirs = map(float, process.stdout.readline().split())
            return [round(there - here, 0) for there, here in zip(theirs, ours, strict=True)]

        assert ahead() == [3_600, 0, 0]
        clock.jump(-30)
        assert ahead() == [-30, 0, 0]
