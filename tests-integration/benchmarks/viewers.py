"""Open dashboards without a browser: each listens to the stream and reads its rows again, as
often as it is told to.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

DASHBOARD = "/tasks/dashboard"
STREAM, ROWS = f"{DASHBOARD}/stream", f"{DASHBOARD}/rows"


def pace(seconds: float, events: int = 1_000) -> str:
    """The request for so many events a second; a task is three."""
    return f"/pace?rate={events / 3}&seconds={seconds}"


class Connection:
    """One kept-alive connection, over which one thing after the other is asked."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._etag = ""

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def get(self, path: str, *, again: bool = False) -> tuple[int, bytes]:
        """Status and body; *again*: 304 where nothing has changed since the last time."""
        known = f"If-None-Match: {self._etag}\r\n" if again and self._etag else ""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{known}\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        self._etag = head.partition(b"etag: ")[2].partition(b"\r\n")[0].decode()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        return int(head.split()[1]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


@dataclass
class Viewer:
    """What one dashboard was told."""

    frames: list[int] = field(default_factory=list)
    """The size of each tick, in bytes."""
    told: int = 0
    """Bytes of the stream."""
    refreshes: int = 0

    async def look(self, port: int, *, refreshing: bool) -> None:
        """Look on until cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        rows = Connection(port)
        await rows.open()
        writer.write(f"GET {STREAM} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.readuntil(b"event: hello")
        asked, due = 0.0, None
        try:
            while True:
                frame = await reader.readuntil(b"\n\n")
                self.told += len(frame)
                if b"event: tick" not in frame:
                    continue
                self.frames.append(len(frame))
                if refreshing and (due is None or due.done()):
                    gap = json.loads(frame.partition(b"data: ")[2])["gap"]
                    wait = max(0.0, asked + gap - time.monotonic())
                    asked = time.monotonic() + wait
                    due = asyncio.create_task(self._refresh(rows, wait))
        finally:
            if due is not None:
                due.cancel()
            writer.close()
            rows.close()

    async def _refresh(self, rows: Connection, wait: float) -> None:
        await asyncio.sleep(wait)
        status, _ = await rows.get(ROWS, again=True)
        assert status in {200, 304}, status
        self.refreshes += 1


@asynccontextmanager
async def viewers(port: int, number: int, *, refreshing: bool) -> AsyncIterator[list[Viewer]]:
    """So many open dashboards; none is no matter either."""
    some = [Viewer() for _ in range(number)]
    looking = [asyncio.create_task(each.look(port, refreshing=refreshing)) for each in some]
    await asyncio.sleep(2 if some else 0)  # all of them have said hello, and heard the first tick
    try:
        yield some
    finally:
        for each in looking:
            each.cancel()
        for end in await asyncio.gather(*looking, return_exceptions=True):
            if isinstance(end, Exception):
                raise end
