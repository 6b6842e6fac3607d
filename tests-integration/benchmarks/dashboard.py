"""What the dashboard costs over a long history, and what it costs the tasks while it is open.

Every figure has its budget beside it. Budgets of time are for the processor, so that other work
of the machine does not count; beside them stands how long one kept-alive connection waits.
"""

import asyncio
import gzip
import os
import re
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_testkit.faults import AppServer

from . import beside, browser, open_pages, taken_along
from .budgets import Figure
from .stores import fill
from .viewers import DASHBOARD, ROWS, Connection

HERE = Path(__file__).parent
ASKED = 100
LONG = 600.0
"""Seconds for which pages are held open."""
KB = 1_000


def measure(
    rows: int, seconds: float, rounds: int, folder: Path, *, long: bool = False
) -> list[Figure]:
    """Everything, over a SQLite file with so many finished tasks."""
    file = folder / "history.db"
    asyncio.run(_seed(file, rows))
    with ExitStack() as started:
        servers = {}
        for watched_by in beside.NUMBER:
            own = shutil.copy(file, folder / f"{watched_by}.db")
            servers[watched_by] = started.enter_context(serving(own, folder))
        server = servers["nobody"]
        found = asyncio.run(over_history(server)) + sizes(server.url)
        found += taken_along.figures(server, rows)
        found += asyncio.run(beside.figures(servers, seconds, rounds))
        found += asyncio.run(browser.figures(server.url, seconds))
        if long:
            found += asyncio.run(open_pages.held_open(server.url, LONG))
    return found


@contextmanager
def serving(file: Path, folder: Path) -> Iterator[AppServer]:
    """The application with this history."""
    environment = {"BENCH_DB": str(file)}
    with AppServer.of("watched:app", HERE, environment, output=folder) as server:
        yield server.wait_until_it_answers()


async def _seed(file: Path, rows: int) -> None:
    backend = backend_from_url(f"sqlite:///{file}")
    await backend.open()
    try:
        await fill(backend, rows)
    finally:
        await backend.close()


async def over_history(server: AppServer) -> list[Figure]:
    """How long what pages ask for takes: of a processor, and until the answer is there."""
    asked = {
        "page of tasks": (f"{DASHBOARD}/tasks", None),
        "rows fragment": (ROWS + "?limit=50&x={}", 10),
        "overview page, 24 h": (f"{DASHBOARD}?range=24h", None),
        "overview data, 24 h": ("/tasks/metrics/series?range=24h", 15),
        "figures of all time": ("/tasks/metrics", 15),
        "search for a word that is nowhere": ("/tasks?q=zebra", 60),
    }
    return [
        figure
        for name, (path, most) in asked.items()
        for figure in await _times(server, name, path, most)
    ]


async def _times(server: AppServer, name: str, path: str, most: float | None) -> list[Figure]:
    """Milliseconds of many answers; ``{}`` in the path makes each question another one."""
    connection, took = Connection(server.port), []
    await connection.open()
    await connection.get(path.format("first"))
    worked = _worked(server.pid)
    for number in range(ASKED):
        began = time.perf_counter()
        status, _ = await connection.get(path.format(number))
        took.append((time.perf_counter() - began) * 1e3)
        assert status == 200, status
    worked = (_worked(server.pid) - worked) / ASKED
    connection.close()
    return [
        Figure(f"{name}, of a processor", worked * 1e3, "ms", most),
        Figure(f"{name}, median", statistics.median(took), "ms"),
        Figure(f"{name}, p95", statistics.quantiles(took, n=20)[18], "ms"),
    ]


def _worked(pid: int) -> float:
    """Seconds of a processor that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sizes(url: str) -> list[Figure]:
    """Bytes of what a browser loads."""
    page = httpx.get(f"{url}{DASHBOARD}/tasks")
    links = set(re.findall(r'(?:href|src)="([^"#?]+/assets/[^"]+)"', page.text))
    loaded = {link: httpx.get(page.url.join(link)).content for link in links}
    queue = [link for link in loaded if link.endswith(".js")]
    while queue:
        link = queue.pop()
        for name in re.findall(rb'(?:from|import)\(? ?"\./([\w.-]+)"', loaded[link]):
            other = f"{link.rpartition('/')[0]}/{name.decode()}"
            if other not in loaded:
                loaded[other] = httpx.get(page.url.join(other)).content
                queue.append(other)
    scripts = [content for link, content in loaded.items() if link.endswith(".js")]
    styles = [content for link, content in loaded.items() if link.endswith(".css")]
    return [
        Figure("all scripts", sum(map(len, scripts)) / KB, "KB", 150),
        Figure("all scripts, gzip", sum(len(gzip.compress(it)) for it in scripts) / KB, "KB", 55),
        Figure("all styles", sum(map(len, styles)) / KB, "KB", 30),
        Figure("HTML of a page of 50 tasks", len(page.content) / KB, "KB", 45),
        Figure("rows fragment of 50 tasks", len(httpx.get(f"{url}{ROWS}").content) / KB, "KB", 25),
    ]
