"""Many tasks leave nothing, many that wait weigh little, a long history delays no start."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = os.environ.get("TASKFLOW_SOAK") == "1"
TASKS, WAITING, ROWS = (250_000, 10_000, 1_000_000) if SOAK else (10_000, 2_000, 50_000)
PROGRAM = Path(__file__).with_name("growth.py")


@pytest.mark.timeout(600 if SOAK else 180)
async def test_a_process_stays_small_however_much_it_has_done(tmp_path):
    command = [sys.executable, PROGRAM, tmp_path / "tasks.db", f"{TASKS}", f"{WAITING}", f"{ROWS}"]
    done = await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.PIPE)
    told = json.loads(done.stdout)
    print(
        f"after {TASKS} tasks {told['grown']:.1f} MB more, {WAITING} waiting retries"
        f" {told['waiting']:.1f} MB, start over {ROWS} rows {told['start']:.2f} s"
    )
    assert told["grown"] < 10
    assert told["waiting"] < 20
