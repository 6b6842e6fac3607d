"""LISTEN and NOTIFY, on a connection of their own.

A pooler in transaction mode takes LISTEN, and hands nothing on. So whoever listens knocks once
and gives up if that is not heard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from hashlib import blake2b

from fastapi_taskflow_core.errors import BackendUnavailable

from .server import PostgresServer
from .session import PostgresSession

KNOCK = "SELECT pg_notify(%s, '')"
_PATIENCE = 5.0
"""Seconds in which the first knock must be heard, and a connection made."""


def channel(schema: str | None, prefix: str) -> str:
    """The name under which those hear each other who share these tables."""
    place = f"{schema or ''}.{prefix}".encode()
    return f"taskflow_{blake2b(place, digest_size=8).hexdigest()}"


async def listen(
    server: PostgresServer,
    name: str,
    knock: Callable[[], Awaitable[None]],
    heard: Callable[[], object],
) -> None:
    """Call *heard* for every notification on the channel, until cancelled.

    Raises:
        BackendUnavailable: The server is away, or our own *knock* was not heard.
    """
    with server.translated():
        session = await asyncio.to_thread(_listening, server, name)
    try:
        with server.translated():
            await _hear(session, knock, heard)
    finally:
        session.close()


def _listening(server: PostgresServer, name: str) -> PostgresSession:
    session = server.connect(time.monotonic() + _PATIENCE)
    session.begin("", time.monotonic() + _PATIENCE)
    session.execute(f"LISTEN {name}")
    return session


async def _hear(
    session: PostgresSession,
    knock: Callable[[], Awaitable[None]],
    heard: Callable[[], object],
) -> None:
    loop, arrived, socket = asyncio.get_running_loop(), asyncio.Event(), session.fileno()
    try:
        loop.add_reader(socket, arrived.set)
    except NotImplementedError:
        raise BackendUnavailable("this event loop cannot watch the connection") from None
    try:
        await knock()
        patience: float | None = _PATIENCE
        while True:
            try:
                async with asyncio.timeout(patience):
                    await arrived.wait()
            except TimeoutError:
                raise BackendUnavailable(
                    "LISTEN is not heard: is there a pooler in transaction mode?"
                ) from None
            arrived.clear()
            if session.notified():
                patience = None
                heard()
    finally:
        loop.remove_reader(socket)  # its number: a connection that was lost has none
