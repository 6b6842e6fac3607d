"""Processes of a test: one with all its descendants, or a small program that holds something."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .family import family, living, moving


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
        """Signal every process of the group, and the descendants that left it."""
        strays = [pid for pid in family(self.pid) if _group_of(pid) != self.pid]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
        for pid in strays:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def freeze(self) -> None:
        """SIGSTOP all of them, and return when they stand still: signals take their time."""
        self.send_all(signal.SIGSTOP)
        while moving(family(self.pid)):
            time.sleep(0.001)

    def thaw(self) -> None:
        """Let all of them go on."""
        self.send_all(signal.SIGCONT)

    def end(self, number: signal.Signals, within: float) -> None:
        """Signal the first process, with SIGKILL all, and return when none of them is there.

        Raises:
            TimeoutError: The first process is still there after so many seconds.
        """
        members = family(self.pid)
        if number is signal.SIGKILL:
            self.send_all(number)
        else:
            self.send(number)
        deadline = time.monotonic() + within
        self.ended(within)
        while living(members) and time.monotonic() < deadline:
            time.sleep(0.01)

    def ended(self, within: float) -> int:
        """The exit code of the first process, once it is gone.

        Raises:
            TimeoutError: It is still there after so many seconds.
        """
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self._process.args!r} runs after {within:g} s") from None


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


@contextlib.contextmanager
def running(program: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A Python program from when it says ``ready`` on, in a process that is killed at the end.

    It must have something to wait for, such as its input.
    """
    command = [sys.executable, "-c", program, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  the test's own
    with process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise RuntimeError(f"{program!r} was never ready")
            yield process
        finally:
            process.kill()


def free_port(owner: object) -> int:
    """A port of the loopback address that stays *owner*'s as long as there is such an object.

    It is bound, so the system gives it to nobody who asks for any port, also while the server
    that it is for is starting, or is down for a while. Who asks for this one by its number may
    listen, as servers do: with ``SO_REUSEADDR``.
    """
    kept = socket.socket()
    weakref.finalize(owner, kept.close)
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    port: int = kept.getsockname()[1]
    return port
