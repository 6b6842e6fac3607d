"""The storage is away for long: what waits for it stays small, and what is given up is counted."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

SOAK = os.environ.get("TASKFLOW_SOAK") == "1"
TASKS = 1_000_000 if SOAK else 20_000
WARM = 2_000
MOST = 64 * 1.1
"""Megabytes."""
PROGRAM = Path(__file__).with_name("outage.py")


@pytest.mark.timeout(1800 if SOAK else 180)
@pytest.mark.parametrize("how", ["refusing", "silent"])
async def test_history_of_a_long_outage_is_bounded_and_what_is_dropped_is_counted(tmp_path, how):
    command = [sys.executable, PROGRAM, tmp_path / "tasks.db", how, f"{TASKS}", "10"]
    done = await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.PIPE)
    told = json.loads(done.stdout)
    with closing(sqlite3.connect(tmp_path / "tasks.db")) as database:
        ((kept,),) = database.execute("SELECT COUNT(*) FROM taskflow_tasks")
    print(f"{how}: done {TASKS}, kept {kept - WARM}, {told}")
    assert told["dropped"] > 0
    assert kept - WARM + told["dropped"] == TASKS
    assert told["grown"] < MOST
