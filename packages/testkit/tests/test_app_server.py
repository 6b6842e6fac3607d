"""Servers that are started, asked, frozen and killed."""

import contextlib
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastapi_taskflow_testkit.faults import AppServer

PROGRAM = """
import http.server, os
print("at your service", flush=True)
address = "127.0.0.1", int(os.environ["PORT"])
http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    with AppServer(["-c", PROGRAM], tmp_path) as server:
        yield server.wait_until_it_answers()


def asked(server: AppServer, timeout: float = 10) -> int:
    with urllib.request.urlopen(server.url, timeout=timeout) as answer:
        return int(answer.status)


def test_it_answers_and_its_output_is_kept(server: AppServer) -> None:
    assert asked(server) == 200
    assert "at your service" in server.output


def test_killed_it_is_gone_at_once_and_twice_is_once(server: AppServer) -> None:
    server.kill()
    server.kill()
    assert (server.gone, server.ended(1)) == (True, -signal.SIGKILL)
    with contextlib.closing(socket.socket()) as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


def test_frozen_it_accepts_and_does_not_answer_until_it_is_thawed(server: AppServer) -> None:
    server.freeze()
    with pytest.raises(TimeoutError):
        asked(server, timeout=0.2)
    server.thaw()
    assert asked(server) == 200


def test_one_that_runs_has_not_ended(server: AppServer) -> None:
    with pytest.raises(TimeoutError, match=r"runs after 0\.1 s"):
        server.ended(0.1)


def test_a_stop_without_a_complaint_is_a_clean_one(server: AppServer) -> None:
    server.stop()
    assert server.gone


def test_one_that_cannot_start_is_shown_with_what_it_said(tmp_path: Path) -> None:
    with AppServer(["-c", "raise SystemExit('no such luck')"], tmp_path) as server:
        with pytest.raises(AssertionError, match="no such luck"):
            server.wait_until_it_answers()


def test_a_server_that_is_not_known_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="one of uvicorn, .* got 'apache'"):
        AppServer.of("module:app", tmp_path, server="apache")
