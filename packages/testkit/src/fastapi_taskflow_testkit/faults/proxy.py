"""A cable between a client and its server that can be pulled."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_CHUNK = 65_536
_PATIENCE = 10.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close answers with RST


@dataclass(frozen=True, slots=True)
class Cable:
    """How bytes get through. The default is a good cable."""

    blackhole: bool = False
    """Everything sent is swallowed, and nobody hears of it: a network that is away."""
    delay: float = 0.0
    """Seconds that whatever the client says is under way."""
    cut_after: int | None = None
    """Reset a connection once so many bytes have come from the client, all connections
    counted together from the moment this cable was laid; 0 resets at once."""


GOOD = Cable()
BLACKHOLE = Cable(blackhole=True)
RESET = Cable(cut_after=0)


class Proxy:
    """A TCP proxy to one server. A context manager: on leaving, every connection is cut.

    Args:
        port: The server's.
        cable: What it is connected by at first.
        host: The server's.
    """

    def __init__(self, port: int, cable: Cable = GOOD, *, host: str = "127.0.0.1") -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        """Where clients connect, on the loopback address."""
        self._lock = threading.Lock()
        self._cable = cable
        self._sent = 0
        self._word: bytes | None = None
        self._delivered = False
        self.cuts = 0
        """How many connections were cut at a word."""
        self.said = 0
        """How many pieces came from clients."""
        self.turns = 0
        """How often a client spoke anew after the server had: ways there and back."""
        self._answered: set[tuple[socket.socket, socket.socket]] = set()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._threads: set[threading.Thread] = set()
        self._accepting = self._spawn(self._accept)

    @property
    def connections(self) -> int:
        """How many connections there are."""
        with self._lock:
            return len(self._pairs)

    def lay(self, cable: Cable) -> None:
        """From now on use another cable, for the connections that are there too."""
        with self._lock:
            self._cable, self._sent = cable, 0
        if cable.cut_after == 0:
            self.cut()

    def cut_at(self, word: bytes, *, delivered: bool) -> None:
        """Reset the next connection whose client says *word*, once.

        Args:
            word: Part of what the client sends.
            delivered: Whether the server still gets it; the answer is lost in any case.
        """
        with self._lock:
            self._word, self._delivered = word, delivered

    def cut(self) -> None:
        """Reset every connection that is there."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._reset(pair)

    def close(self) -> None:
        """Cut every connection and take no more. Twice is once."""
        with contextlib.suppress(OSError):  # wakes up who waits in accept
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(_PATIENCE)
        self.cut()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _spawn(self, target: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                target()
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, name="taskflow-proxy", daemon=True)
        with self._lock:
            self._threads.add(thread)
            thread.start()
        return thread

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self._join(client)

    def _join(self, client: socket.socket) -> None:
        if self._cable.cut_after == 0:
            _abort(client)
            return
        try:
            server = socket.create_connection(self._server, timeout=_PATIENCE)
        except OSError:
            _abort(client)
            return
        server.settimeout(None)
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
        self._spawn(lambda: self._pump(pair, client, server))
        self._spawn(lambda: self._pump(pair, server, client))

    def _pump(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket
    ) -> None:
        from_client = source is pair[0]
        try:
            while data := source.recv(_CHUNK):
                self._take_turns(pair, from_client=from_client)
                passed, breaks = self._through(data) if from_client else (data, False)
                if passed and not self._cable.blackhole:
                    sink.sendall(passed)
                if breaks:
                    break
            else:
                with self._lock:
                    if pair not in self._pairs:
                        return
                    if not self._cable.blackhole:  # a lost network says no goodbye
                        sink.shutdown(socket.SHUT_WR)
                        return
        except OSError:
            pass
        self._reset(pair)

    def _take_turns(self, pair: tuple[socket.socket, socket.socket], *, from_client: bool) -> None:
        with self._lock:
            if not from_client:
                self._answered.add(pair)
            elif pair in self._answered:
                self._answered.discard(pair)
                self.turns += 1

    def _through(self, data: bytes) -> tuple[bytes, bool]:
        """What of the client's piece arrives, and whether the cable breaks then."""
        with self._lock:
            cable, room = self._cable, len(data)
            if cable.cut_after is not None:
                room = max(0, cable.cut_after - self._sent)
            self._sent += len(data)
            self.said += 1
            said = self._word is not None and self._word in data
            if said:
                self._word = None
                self.cuts += 1
        if cable.delay:
            time.sleep(cable.delay)
        if said:
            return (data if self._delivered else b""), True
        return data[:room], cable.cut_after is not None and len(data) >= room

    def _reset(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            if pair not in self._pairs:
                return
            self._pairs.discard(pair)
            self._answered.discard(pair)
        for end in pair:
            _abort(end)


def _abort(end: socket.socket) -> None:
    """Close with RST, waking up whoever reads from it."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RD)
    end.close()
