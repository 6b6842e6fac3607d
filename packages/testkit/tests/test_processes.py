"""Programs that a test starts beside itself."""

from __future__ import annotations

import pytest

from fastapi_taskflow_testkit.processes import running

ECHO = """
import sys
print("ready", flush=True)
for line in sys.stdin:
    print(sys.argv[1] + line, end="", flush=True)
"""


def test_a_program_runs_from_when_it_is_ready_to_the_end_of_the_block() -> None:
    with running(ECHO, "heard: ") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("hello\n")
        process.stdin.flush()
        assert process.stdout.readline() == "heard: hello\n"
    assert process.returncode is not None


def test_a_program_that_ends_too_early_is_told() -> None:
    with pytest.raises(RuntimeError, match="never ready"), running("raise SystemExit(3)"):
        pass
