"""Redis: where one usually is, and how a private one is made."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

REDIS_STANDARD = "redis://127.0.0.1:6379/0"
REDIS_PROGRAM = "redis-server"


class RedisRecipe:
    """A server that keeps an append-only file.

    Args:
        appendfsync: When it is on disk: ``always``, ``everysec`` or ``no``.
        settings: Further settings, with ``_`` for ``-``, such as ``maxmemory="100mb"``.
    """

    def __init__(self, appendfsync: str = "always", **settings: str | int) -> None:
        self.user: str | None = None
        self.stopped_by = signal.SIGTERM
        self._settings = {"appendonly": "yes", "appendfsync": appendfsync, "save": "", **settings}

    def prepare(self, folder: Path) -> None:
        """Nothing: a new server needs no files."""

    def command(self, folder: Path, port: int) -> Sequence[str]:
        """The server in the foreground."""
        words = [REDIS_PROGRAM, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        for name, value in self._settings.items():
            words += [f"--{name.replace('_', '-')}", str(value)]
        return words

    def url(self, port: int) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{port}/0"

    def answers(self, port: int) -> bool:
        """Whether it has loaded its data."""
        return redis_answers(self.url(port))


def redis_answers(url: str) -> bool:
    """Whether a Redis server is there and has loaded its data."""
    address = urlsplit(url)
    place = (address.hostname or "127.0.0.1", address.port or 6379)
    with contextlib.suppress(OSError), socket.create_connection(place, timeout=3) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(64).startswith((b"+PONG", b"-NOAUTH", b"-NOPERM"))
    return False
