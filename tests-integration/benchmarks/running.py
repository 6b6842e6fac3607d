"""How tasks run: what processes gain, and what requests feel of ten thousand waiting tasks."""

import asyncio
import statistics
import time
from pathlib import Path

from fastapi_taskflow_core import TaskManager
from fastapi_taskflow_core.records import ExecutorKind

from .load import REQUESTS, serving

CALLS = 8


def count(number: int) -> int:
    """Keeps one processor busy."""
    total = 0
    for each in range(number):
        total += each * each
    return total


async def seconds_of(executor: ExecutorKind, number: int) -> float:
    """How long eight calls take that each need a processor."""
    manager = TaskManager(max_process_workers=2, drain_timeout=1)
    manager.task(executor=executor, name=executor)(count)
    await manager.startup()
    try:
        await asyncio.gather(*[_end_of(manager, 1) for _ in range(2)])  # processes have started
        began = time.perf_counter()
        await asyncio.gather(*[_end_of(manager, number) for _ in range(CALLS)])
        return time.perf_counter() - began
    finally:
        await manager.shutdown()


async def _end_of(manager: TaskManager, number: int) -> None:
    await manager.wait(await manager.enqueue(count, number))


def gain_of_processes(number: int = 6_000_000) -> float:
    """How many times as fast processes are as threads."""
    threads, processes = (asyncio.run(seconds_of(kind, number)) for kind in ("thread", "process"))
    return threads / processes


def pings(folder: Path, seconds: float) -> dict[str, float]:
    """The 99th percentile of ``GET /ping``, in milliseconds: idle, and with a full queue."""
    with serving("waiting", folder) as port:
        asyncio.run(_ping(port, 1.0))
        idle = asyncio.run(_ping(port, seconds))
        filled = asyncio.run(_under_load(port, seconds))
    return {"idle_p99_ms": round(idle, 2), "waiting_p99_ms": round(filled, 2)}


async def _under_load(port: int, seconds: float) -> float:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUESTS["fill"])
    await reader.readuntil(b"\r\n\r\n")
    measured = await _ping(port, seconds)
    writer.close()
    return measured


async def _ping(port: int, seconds: float) -> float:
    """The latency of a request every five milliseconds, over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        writer.write(REQUESTS["ping"])
        await reader.readuntil(b"}")
        latencies.append(time.perf_counter() - began)
        await asyncio.sleep(0.005)
    writer.close()
    return statistics.quantiles(latencies, n=100)[98] * 1e3
