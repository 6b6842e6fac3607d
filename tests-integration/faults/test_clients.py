"""Clients that hang up, speak old dialects or want no body: what they asked for runs."""

import asyncio
import socket
import struct

import pytest
from fleet import eventually

RESET = struct.pack("ii", 1, 0)


def ask(port: int, line: str, *, until: str) -> bytes:
    """Send a request by hand and hang up: at once, at the first byte, or when all is read."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        headers = "Host: here\r\nAccept-Encoding: gzip\r\nConnection: close"
        client.sendall(f"{line}\r\n{headers}\r\n\r\n".encode())
        if until == "at once":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            return b""
        if until == "first byte":
            return client.recv(1)
        answer = b""
        while piece := client.recv(4096):
            answer += piece
        return answer


WAYS = [
    ("POST", "HTTP/1.1", "at once"),
    ("POST", "HTTP/1.1", "first byte"),
    ("POST", "HTTP/1.0", "the end"),
    ("HEAD", "HTTP/1.1", "the end"),
    ("HEAD", "HTTP/1.0", "first byte"),
]


@pytest.mark.parametrize("settings", [{}, {"MIDDLEWARE": "1"}], ids=["plain", "middleware"])
async def test_however_a_client_leaves_its_tasks_run(fleet, settings):
    ships = fleet(**settings)
    server = ships.start()
    asked = [(kind, way) for kind in ("once", "again", "unkept") for way in WAYS]
    for number, (kind, (method, version, until)) in enumerate(asked):
        line = f"{method} /add/{kind}/{number}?seconds=0.2 {version}"
        answer = await asyncio.to_thread(ask, server.port, line, until=until)
        assert until != "the end" or b" 200 OK\r\n" in answer
    await eventually(
        lambda: all(ships.ran()[f"{kind}-done", n] for n, (kind, _) in enumerate(asked)),
        "all have run",
    )
    print(f"asked {len(asked)}, done {len(asked)}, run twice {max(ships.ran().values()) - 1}")
    assert set(ships.ran().values()) == {1}
    assert "Traceback" not in server.output
