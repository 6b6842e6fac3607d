"""What a kind of storage does: persisted tasks per second, and reads over a long history."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from fastapi_taskflow_core import TaskManager
from fastapi_taskflow_core.backends.base import Backend, Batch, Query, RollupQuery
from fastapi_taskflow_core.plugins import backend_from_url
from fastapi_taskflow_core.records import TaskRecord, TaskStatus
from fastapi_taskflow_core.surroundings import time_ordered_id

from .in_process import enqueued, nothing

_BATCH = 2_000
_SPAN = timedelta(days=1)
_RARE = {TaskStatus.FAILED: 50, TaskStatus.CANCELLED: 500}
"""One task in so many ends like this."""


async def persisted_rate(url: str, count: int, callers: int = 200) -> float:
    """Persisted tasks per second with so many callers, each awaiting its own."""
    manager = TaskManager(snapshot_backend=url)
    manager.task(persist=True, requeue_on_interrupt=True)(nothing)
    await manager.startup()
    try:
        await enqueued(manager, callers * 5, callers)
        return await enqueued(manager, count, callers)
    finally:
        await manager.shutdown()


async def reads(url: str, rows: int) -> dict[str, float]:
    """Milliseconds of what pages ask, the median of many, over so many finished tasks."""
    backend = backend_from_url(url)
    await backend.open()
    try:
        await fill(backend, rows)
        day = datetime.now(UTC) - _SPAN
        chart = RollupQuery("hour", day, step=timedelta(hours=1))
        return {
            "list_ms": await _median(lambda: backend.query(Query())),
            "failed_ms": await _median(
                lambda: backend.query(Query(statuses=frozenset({TaskStatus.FAILED})))
            ),
            "function_ms": await _median(lambda: backend.query(Query(func_name="send_email_3"))),
            "metrics_ms": await _median(lambda: backend.rollups(RollupQuery("hour"))),
            "chart_24h_ms": await _median(lambda: backend.rollups(chart)),
            "unfinished_ms": await _median(backend.unfinished),
            "no_such_text_ms": await _median(lambda: backend.query(Query(text="zebra")), 3),
        }
    finally:
        await backend.close()


async def fill(backend: Backend, rows: int) -> None:
    began = datetime.now(UTC) - _SPAN
    for first in range(0, rows, _BATCH):
        some = [_finished(n, began + _SPAN * (n / rows)) for n in range(first, first + _BATCH)]
        await backend.write(Batch("bench", inserts=some, durable=False))


def _finished(number: int, created: datetime) -> TaskRecord:
    status = TaskStatus.SUCCESS
    for rare, share in _RARE.items():
        if number % share == 0:
            status = rare
    return TaskRecord(
        time_ordered_id(),
        f"send_email_{number % 10}",
        created,
        status,
        start_time=created + timedelta(milliseconds=5),
        end_time=created + timedelta(milliseconds=5 + number % 1000),
        error="ConnectionError: no answer" if status is TaskStatus.FAILED else None,
        owner="bench",
    )


async def _median(ask: Callable[[], Awaitable[object]], times: int = 20) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(0)
    return round(statistics.median(took), 2)
