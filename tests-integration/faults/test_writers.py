"""Processes that write to one SQLite file as fast as they can."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from fastapi_taskflow_testkit.faults import Ledger

SOAK = os.environ.get("TASKFLOW_SOAK") == "1"
WRITERS, SECONDS = (8, 600) if SOAK else (4, 2)
PROGRAM = """
import asyncio, json, sys, time
from pathlib import Path
from fastapi_taskflow.backends import SqliteBackend
from fastapi_taskflow_core.backends.base import Batch
from fastapi_taskflow_testkit.builders import a_task, ended
from fastapi_taskflow_testkit.faults import Ledger

async def main(database, ledger, me, seconds):
    backend = SqliteBackend(database)
    await backend.open()
    Ledger(Path(ledger)).note("ready", int(me))
    sys.stdin.readline()
    took, until = [], time.monotonic() + float(seconds)
    while time.monotonic() < until:
        began = time.perf_counter()
        task = ended(a_task(task_id=f"{me}-{len(took)}", owner=me))
        await backend.write(Batch(me, inserts=[task], durable=len(took) % 2 == 0))
        took.append(time.perf_counter() - began)
    await backend.close()
    print(json.dumps({"wrote": len(took), "p99": sorted(took)[len(took) * 99 // 100]}))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.timeout(SECONDS + 180)
def test_everyone_who_writes_gets_a_fair_share_and_the_file_stays_whole(tmp_path, until):
    database, ledger = tmp_path / "tasks.db", Ledger(tmp_path / "ledger")
    arguments = [sys.executable, "-c", PROGRAM, database, tmp_path / "ledger"]
    writers = [
        subprocess.Popen(
            [*arguments, f"{me}", f"{SECONDS}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for me in range(WRITERS)
    ]
    try:
        until(lambda: len(ledger.numbers("ready")) == WRITERS, "that all have opened it")
        for writer in writers:
            writer.stdin.write(b"\n")
            writer.stdin.flush()
        answers = [writer.communicate() for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    told = [json.loads(out) for out, _ in answers]
    shares = sorted(each["wrote"] for each in told)
    print(f"commits {shares}, slowest of a hundred {max(it['p99'] for it in told) * 1e3:.0f} ms")
    with closing(sqlite3.connect(database)) as tool:
        assert tool.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert tool.execute("SELECT COUNT(*) FROM taskflow_tasks").fetchone() == (sum(shares),)
    assert shares[0] >= sum(shares) / WRITERS / 10
