"""A dashboard over a long history, with more clients than it has room for."""

import asyncio
import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from benchmarks.stores import fill
from benchmarks.viewers import STREAM
from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_testkit.faults import AppServer

SOAK = bool(os.environ.get("TASKFLOW_SOAK"))
ROWS = 1_000_000 if SOAK else 10_000
CLIENTS, ROOM = (500 if SOAK else 230), 200
MB = 2**20


async def seed(file: Path) -> None:
    backend = backend_from_url(f"sqlite:///{file}")
    await backend.open()
    try:
        await fill(backend, ROWS)
    finally:
        await backend.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    """An application with so many finished tasks."""
    file = tmp_path / "history.db"
    asyncio.run(seed(file))
    folder, environment = Path(__file__).parent / "benchmarks", {"BENCH_DB": str(file)}
    with AppServer.of("watched:app", folder, environment, output=tmp_path) as started:
        yield started.wait_until_it_answers()


@pytest.mark.timeout(600 if SOAK else 60)
def test_all_pages_show_each_task_once_while_others_arrive(server: AppServer) -> None:
    with httpx.Client(base_url=server.url) as client:
        seen: list[str] = []
        page = client.get("/tasks?limit=500&status=success&status=failed&status=cancelled")
        while True:
            seen += [each["task_id"] for each in page.json()]
            client.post("/pace?rate=1000&seconds=0.02")
            if "next" not in page.links:
                break
            page = client.get(page.links["next"]["url"])
        assert client.get("/tasks/metrics").json()["total"] >= ROWS + ROWS // 500
    assert len(seen) == len(set(seen)) == ROWS


def resident(server: AppServer) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


@pytest.mark.timeout(600 if SOAK else 60)
@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_file_of_all_tasks_takes_no_memory(server: AppServer, form: str) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        client.get(f"/tasks/export?format={form}&q=nothing")
        before, lines = resident(server), 0
        with client.stream("GET", f"/tasks/export?format={form}") as file:
            for line in file.iter_lines():
                lines += "send_email" in line
    assert lines == ROWS
    assert resident(server) - before < 30 * MB


Stream = tuple[int, asyncio.StreamReader, asyncio.StreamWriter]


async def listen(port: int) -> Stream:
    """Ask for the stream: the status, and what follows."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {STREAM} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split()[1]), reader, writer


async def hang_up(streams: list[Stream]) -> None:
    for _, _, writer in streams:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def storm(port: int) -> Counter[int]:
    """All clients at once, and gone again: how they were answered."""
    streams = await asyncio.gather(*(listen(port) for _ in range(CLIENTS)))
    await hang_up(streams)
    return Counter(status for status, _, _ in streams)


def test_of_a_storm_of_clients_only_some_are_let_in_and_then_the_next_ones(
    server: AppServer,
) -> None:
    async def whole() -> None:
        expected = Counter({200: ROOM, 503: CLIENTS - ROOM})
        assert await storm(server.port) == expected
        deadline = time.monotonic() + 60
        while await storm(server.port) != expected:  # it has to hear first that they are gone
            assert time.monotonic() < deadline

    asyncio.run(whole())


def test_open_streams_end_with_their_process(server: AppServer) -> None:
    async def whole() -> None:
        streams = [await listen(server.port) for _ in range(20)]
        server.signal(signal.SIGTERM)
        for _, reader, _ in streams:
            [bye] = re.findall(r"event: bye\ndata: (.*)", (await reader.read()).decode())
            assert json.loads(bye)["reason"] == "stopping"
        await hang_up(streams)

    asyncio.run(whole())
    assert server.ended() in {0, -signal.SIGTERM}
    assert "Traceback" not in server.output
