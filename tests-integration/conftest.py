"""Servers for tests: applications under a real uvicorn, and what the README tells to try."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any, TypeVar

import httpx
import pytest

ROOT = Path(__file__).parent.parent
Answer = TypeVar("Answer")
STARTED = re.compile(r"running on (http://\S+)")


class Server:
    """A process that serves HTTP; its output is read by a thread so that it never blocks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: Queue[str | None] = Queue()
        self._clients: list[httpx.Client] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.output = ""

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._lines.put(line)
        self._lines.put(None)

    def _line(self) -> str | None:
        try:
            line = self._lines.get(timeout=60)
        except Empty:
            raise AssertionError(f"the server says nothing more:\n{self.output}") from None
        self.output += line or ""
        return line

    def client(self) -> httpx.Client:
        """A client of the server, as soon as it has said where it is."""
        while (line := self._line()) is not None:
            if found := STARTED.search(line):
                self._clients.append(httpx.Client(base_url=found[1], timeout=30))
                return self._clients[-1]
        raise AssertionError(f"the server did not start:\n{self.output}")

    def ended(self) -> int:
        """The exit code, once the process has ended; `output` is complete then."""
        while self._line() is not None:
            pass
        return self._process.wait(60)

    def stop(self) -> None:
        """Ask the process to end, and see that it ends as uvicorn does after a clean stop."""
        self._process.terminate()
        assert self.ended() in {0, -signal.SIGTERM}, self.output
        assert "Traceback" not in self.output, self.output

    def interrupt(self) -> None:
        """Press Ctrl-C, and see that it ends as quietly."""
        self._process.send_signal(signal.SIGINT)
        assert self.ended() in {0, -signal.SIGINT}, self.output
        assert "Traceback" not in self.output, self.output

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        for client in self._clients:
            client.close()
        self._process.kill()
        self._process.wait(60)
        self._reader.join(60)


Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a program, with this Python, in the test's folder.

    ``serve("module:app")`` is an application under uvicorn on a free port, ``serve(path)``
    a program that says itself where it is running.
    """
    with contextlib.ExitStack() as servers:

        def start(program: str | Path, **environment: str) -> Server:
            uvicorn = ["-m", "uvicorn", "--port", "0", "--no-access-log"]
            uvicorn += ["--timeout-keep-alive", "600"]  # it never hangs up on who asks just then
            arguments = [program] if isinstance(program, Path) else [*uvicorn, program]
            server = Server(
                subprocess.Popen(
                    [sys.executable, *arguments],
                    cwd=tmp_path,
                    env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
            servers.callback(server.kill)
            return server

        yield start


@pytest.fixture(scope="session")
def quickstart() -> str:
    """The program of the README's quick start."""
    section = (ROOT / "README.md").read_text().partition("## Quick start\n")[2]
    return section.partition("```python\n")[2].partition("```\n")[0]


def eventually(question: Callable[[], Answer], what: str, within: float = 60) -> Answer:
    """Ask until the answer is true, and return it; only for what other processes do."""
    deadline = time.monotonic() + within
    while not (answer := question()):
        assert time.monotonic() < deadline, f"{what} did not come true within {within} s"
        time.sleep(0.05)
    return answer


@pytest.fixture
def until() -> Callable[[Callable[[], Answer], str], Answer]:
    """See `eventually`."""
    return eventually


@pytest.fixture
def finished() -> Callable[[httpx.Client, str], dict[str, Any]]:
    """Waits for a task, asked for over HTTP, to be finished, and gives its detail."""

    def wait(client: httpx.Client, task_id: str) -> dict[str, Any]:
        def over() -> dict[str, Any] | None:
            task: dict[str, Any] = client.get(f"/tasks/{task_id}").raise_for_status().json()
            return None if task["status"] in {"pending", "running"} else task

        return eventually(over, f"the end of task {task_id}")

    return wait
