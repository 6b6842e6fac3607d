"""A small HTTP client that is faster than what it measures."""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

_HERE = Path(__file__).parent


_BODY = b'{"email": "ada@example.org", "name": "Ada", "newsletter": true}'
REQUESTS = {
    "bare": b"GET /task HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "ping": b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "fill": b"POST /fill HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    "signup": b"POST /signup HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY),
}
"""``bare`` is the least a route with a task can do, ``signup`` reads a small JSON body."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did under load: requests per second, and the seconds that each took."""

    rate: float
    latencies: list[float]


def percentile(loads: Sequence[Load], percent: int) -> float:
    """Of the latencies of all the loads, in milliseconds."""
    latencies = [each for load in loads for each in load.latencies]
    return statistics.quantiles(latencies, n=100)[percent - 1] * 1e3


@contextmanager
def serving(mode: str, folder: Path) -> Iterator[int]:
    """The application under uvicorn; gives its port."""
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "application:app", "--port", str(port)]
        + ["--log-level", "warning", "--no-access-log"],
        cwd=_HERE,
        env={**os.environ, "BENCH_MODE": mode, "BENCH_DB": str(folder / f"{mode}.db")},
    )
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with closing(socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


async def load(port: int, request: bytes, connections: int, seconds: float) -> Load:
    """Send *request* over so many connections, as fast as they are answered."""
    latencies: list[float] = []
    end = time.perf_counter() + seconds
    await asyncio.gather(*(_connection(port, request, end, latencies) for _ in range(connections)))
    return Load(len(latencies) / seconds, latencies)


async def _connection(port: int, request: bytes, end: float, latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (began := time.perf_counter()) < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"unexpected answer: {head!r}")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        latencies.append(time.perf_counter() - began)
    writer.close()
