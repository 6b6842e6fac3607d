"""A process with all its children: started as one, signalled as one, gone as one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class ProcessGroup:
    """A program and whatever it starts, in a session of its own.

    What it says goes to the end of a file, so that it never waits for a reader.

    Args:
        command: The program and its arguments.
        output: The file for both of its output streams.
        environment: All of its environment; None is that of this process.
        folder: Where it runs; None is where this process does.
        user: Whom it runs as; None is who this process runs as. Only root may choose.

    Raises:
        OSError: The program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        output: Path,
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        user: str | None = None,
    ) -> None:
        with output.open("ab") as sink:
            self._process = subprocess.Popen(  # noqa: S603  the command is the test's own
                command,
                cwd=folder,
                env=None if environment is None else dict(environment),
                user=user,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The id of the first process, and of the group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """What the first process ended with; None while it is there."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Signal the first process alone, as a supervisor does. One that is gone is left alone."""
        self._process.send_signal(number)

    def send_all(self, number: signal.Signals) -> None:
        """Signal every process of the group. One that is gone is left alone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def ended(self, within: float) -> int:
        """The exit code of the first process, once it is gone.

        Raises:
            TimeoutError: It is still there after so many seconds.
        """
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self._process.args!r} runs after {within:g} s") from None


def free_port() -> int:
    """A port of the loopback address that nobody listens on just now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
