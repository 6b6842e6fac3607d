"""The whole history as a file: what it costs the process that streams it."""

import re
import time
from pathlib import Path

import httpx

from fastapi_taskflow_testkit.faults import AppServer

from .budgets import Figure


def figures(server: AppServer, rows: int) -> list[Figure]:
    """How much larger the process is at most while it streams so many tasks, and how long it takes.

    Raises:
        AssertionError: the file does not have a line for each of them.
    """
    before = _memory(server.pid, "VmRSS")
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # forget how large it ever was
    began, lines = time.perf_counter(), 0
    with httpx.stream("GET", f"{server.url}/tasks/export?format=csv", timeout=None) as answer:
        answer.raise_for_status()
        for piece in answer.iter_bytes():
            lines += piece.count(b"\r\n")
    assert lines > rows, f"{lines} lines for {rows} tasks"
    grown = _memory(server.pid, "VmHWM") - before
    return [
        Figure("CSV of all tasks, growth of the process", grown / 1e6, "MB", 30),
        Figure("CSV of all tasks", time.perf_counter() - began, "s"),
    ]


def _memory(pid: int, name: str) -> int:
    """Bytes of main memory that a process has, or had at most."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024
