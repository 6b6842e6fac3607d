"""Programs that a test starts beside itself."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from fastapi_taskflow_testkit.processes import free_port, running

ECHO = """
import sys
print("ready", flush=True)
for line in sys.stdin:
    print(sys.argv[1] + line, end="", flush=True)
"""


def test_a_program_runs_from_when_it_is_ready_to_the_end_of_the_block() -> None:
    with running(ECHO, "heard: ") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("hello\n")
        process.stdin.flush()
        assert process.stdout.readline() == "heard: hello\n"
    assert process.returncode is not None


def test_a_program_that_ends_too_early_is_told() -> None:
    with pytest.raises(RuntimeError, match="never ready"), running("raise SystemExit(3)"):
        pass


class Owner:
    """Whom a port is for."""


def taken(port: int) -> bool:
    """Whether somebody who does not know better is refused the port."""
    with closing(socket.socket()) as stranger:
        try:
            stranger.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def test_a_port_stays_its_owners_while_nobody_listens_there() -> None:
    owner = Owner()
    port = free_port(owner)
    for _ in range(2):
        assert taken(port)
        with socket.create_server(("127.0.0.1", port)):
            socket.create_connection(("127.0.0.1", port), timeout=30).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=30)
    del owner
    assert not taken(port)
