"""An application under a real server: to be asked, stopped, killed and frozen."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ..processes import ProcessGroup, free_port

# None hangs up on a client that is slow to ask again: it might be asking at that very moment.
_UVICORN = (
    *("-m", "uvicorn", "{app}", "--port", "{port}"),
    *("--no-access-log", "--timeout-keep-alive", "600"),
)
_GUNICORN = ("-m", "gunicorn", "{app}", "-b", "127.0.0.1:{port}", "--keep-alive", "600")
_WORKERS = ("-k", "uvicorn.workers.UvicornWorker")

SERVERS: Mapping[str, Sequence[str]] = {
    "uvicorn": _UVICORN,
    "uvicorn with two workers": (*_UVICORN, "--workers", "2"),
    "uvicorn with reload": (*_UVICORN, "--reload"),
    "gunicorn": (*_GUNICORN, *_WORKERS),
    "gunicorn with preload": (*_GUNICORN, *_WORKERS, "--preload", "--workers", "2"),
    "hypercorn": ("-m", "hypercorn", "{app}", "-b", "127.0.0.1:{port}", "--keep-alive", "600"),
}
"""The servers that people use, as arguments of Python."""

_PATIENCE = 60.0


class AppServer:
    """A server process with its children. A context manager: it leaves nothing running.

    It listens on the loopback address; the program also finds the port in the variable
    ``PORT``.

    Args:
        arguments: What Python is to run, with ``{port}`` where the port belongs; see `of`.
        folder: Where it runs. Its output goes to files ``output-<port>`` there.
        environment: Variables to set beside those of this process.
        output: The folder for the output, if it is another.
        port: Where another one listened before; None is a port that is free.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        output: Path | None = None,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port(self)
        self.url = f"http://127.0.0.1:{self.port}"
        self._output = (output or folder) / f"output-{self.port}"
        self._group = ProcessGroup(
            [sys.executable, *(part.replace("{port}", str(self.port)) for part in arguments)],
            self._output,
            environment={
                **os.environ,
                "PORT": str(self.port),
                "PYTHONUNBUFFERED": "1",
                **(environment or {}),
            },
            folder=folder,
        )

    @classmethod
    def of(
        cls,
        app: str,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        server: str = "uvicorn",
        output: Path | None = None,
        port: int | None = None,
    ) -> Self:
        """Serve an application, such as ``"module:app"``, by one of `SERVERS`.

        Raises:
            LookupError: There is no such server.
        """
        if server not in SERVERS:
            raise LookupError(f"server must be one of {', '.join(SERVERS)}, got {server!r}")
        arguments = [part.replace("{app}", app) for part in SERVERS[server]]
        return cls(arguments, folder, environment, output=output, port=port)

    @property
    def pid(self) -> int:
        """The process that was started; others may be its children."""
        return self._group.pid

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._output.read_text(errors="replace")

    @property
    def gone(self) -> bool:
        """Whether the process that was started has ended."""
        return self._group.exit_code is not None

    def wait_until_it_answers(self, within: float = _PATIENCE) -> Self:
        """Return when it accepts connections.

        Raises:
            AssertionError: It has ended, or does not after so many seconds.
        """
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            with contextlib.closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            assert not self.gone, f"the server did not start:\n{self.output}"
            time.sleep(0.05)
        raise AssertionError(f"the server did not answer within {within:g} s:\n{self.output}")

    def signal(self, number: signal.Signals) -> None:
        """Signal the process that was started, as a supervisor does."""
        self._group.send(number)

    def freeze(self) -> None:
        """SIGSTOP all its processes: connections stay open, and nothing answers."""
        self._group.freeze()

    def thaw(self) -> None:
        """Let frozen processes go on."""
        self._group.thaw()

    def ended(self, within: float = _PATIENCE) -> int:
        """The exit code, once it has ended by itself; its output is complete then.

        Raises:
            TimeoutError: It has not, after so many seconds.
        """
        return self._group.ended(within)

    def stop(self) -> None:
        """SIGTERM it, and see that it ends without a complaint.

        Raises:
            AssertionError: It said something with a traceback, or ended with an error.
            TimeoutError: It did not end.
        """
        self.signal(signal.SIGTERM)
        assert self.ended() in {0, -signal.SIGTERM}, self.output
        assert "Traceback" not in self.output, self.output

    def kill(self) -> None:
        """SIGKILL all its processes and wait until they are gone. Twice is once."""
        self._group.end(signal.SIGKILL, _PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
