"""A way to a server that can be slow, and can be cut at a word of the client's."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards TCP connections to a port of this host. An asynchronous context manager.

    Args:
        target: The server's port.
        delay: Seconds that whatever the client says is under way.
    """

    def __init__(self, target: int, *, delay: float = 0.0) -> None:
        self.port = 0
        """Where it listens, on the loopback address."""
        self.cuts = 0
        """How many connections were cut."""
        self._target = target
        self._delay = delay
        self._word: bytes | None = None
        self._delivered = False
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def cut_at(self, word: bytes, *, delivered: bool) -> None:
        """Cut the next connection whose client says *word*, once.

        Args:
            word: Part of what the client sends.
            delivered: Whether the server still gets it; the answer is lost in any case.
        """
        self._word, self._delivered = word, delivered

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {writer, back}
        answers = asyncio.create_task(_pump(there, writer))
        with suppress(ConnectionError):
            await self._listen(reader, back)
        answers.cancel()
        for each in (writer, back):
            each.close()
            self._open.discard(each)

    async def _listen(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        while said := await reader.read(65_536):
            cut = self._word is not None and self._word in said
            if self._delay:
                await asyncio.sleep(self._delay)
            if not cut or self._delivered:
                back.write(said)
                await back.drain()
            if cut:
                self._word = None
                self.cuts += 1
                return


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while said := await reader.read(65_536):
            writer.write(said)
            await writer.drain()
        writer.close()
