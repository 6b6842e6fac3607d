"""What tests do to servers, done to small programs instead."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fastapi_taskflow_testkit.family import family, living
from fastapi_taskflow_testkit.servers import PrivateServer

PARENT = """
import subprocess, sys
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""
SERVER = """
import socket, sys
from pathlib import Path
folder, port = Path(sys.argv[1]), int(sys.argv[2])
with (folder / "starts").open("a") as file:
    file.write("x")
with socket.create_server(("127.0.0.1", port)) as server:
    while True:
        connection = server.accept()[0]
        connection.sendall(b"hello")
        connection.close()
"""


class Hello:
    """A server that says hello and hangs up."""

    user = None
    stopped_by = signal.SIGTERM

    def prepare(self, folder: Path) -> None:
        (folder / "prepared").touch(exist_ok=False)

    def command(self, folder: Path, port: int) -> list[str]:
        return [sys.executable, "-c", SERVER, str(folder), str(port)]

    def url(self, port: int) -> str:
        return f"hello://127.0.0.1:{port}"

    def answers(self, port: int) -> bool:
        import socket

        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
                return connection.recv(5) == b"hello"
        except OSError:
            return False


def test_a_family_has_children_that_went_into_sessions_of_their_own() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        members = family(parent.pid)
        assert members == [parent.pid, child]
        for pid in members:
            os.kill(pid, signal.SIGKILL)
    assert living([parent.pid]) == []


def test_a_private_server_is_prepared_once_and_started_as_often_as_one_likes(
    tmp_path: Path,
) -> None:
    recipe = Hello()
    with PrivateServer(recipe, tmp_path) as server:
        for end in (server.kill, server.stop, server.kill):
            end()
            end()
            assert not recipe.answers(server.port)
            server.start()
        assert server.url == f"hello://127.0.0.1:{server.port}"
    assert (tmp_path / "starts").read_text() == "xxxx"
    assert not recipe.answers(server.port)


def test_a_frozen_server_answers_again_when_it_is_thawed(tmp_path: Path) -> None:
    recipe = Hello()
    with PrivateServer(recipe, tmp_path) as server:
        server.freeze()
        assert not recipe.answers(server.port)
        server.thaw()
        assert recipe.answers(server.port)


def test_what_a_server_said_before_it_failed_is_told(tmp_path: Path) -> None:
    class Broken(Hello):
        def command(self, folder: Path, port: int) -> list[str]:
            return [sys.executable, "-c", "raise SystemExit('no space left')"]

    with pytest.raises(RuntimeError, match="no space left"):
        PrivateServer(Broken(), tmp_path).start()
