"""A server of a test's own, in a folder and on a port of its own: to be killed, frozen, filled."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from ..processes import ProcessGroup, free_port

_PATIENCE = 60.0


class Recipe(Protocol):
    """How one kind of server is made and run. Nothing here starts before `prepare`."""

    user: str | None
    """Whom the server runs as where the tests run as root; None is whoever runs them."""
    stopped_by: signal.Signals
    """What makes it end soon and tidily, whoever is connected."""

    def prepare(self, folder: Path) -> None:
        """Fill the empty *folder* with what a new server needs."""

    def command(self, folder: Path, port: int) -> Sequence[str]:
        """The server in the foreground, on the loopback address alone."""

    def url(self, port: int) -> str:
        """Its address, as the backend takes it."""

    def answers(self, port: int) -> bool:
        """Whether it can be used now."""


class PrivateServer:
    """A server process that belongs to one test. A context manager: it leaves nothing running.

    Args:
        recipe: What kind of server.
        folder: An empty folder for its data, which outlives `kill` and `start`.
        environment: Variables to set for the process, such as a preloaded clock.
    """

    def __init__(
        self, recipe: Recipe, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._recipe = recipe
        self._folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self._process: ProcessGroup | None = None
        self._prepared = False
        self.port = free_port(self)
        self.url = recipe.url(self.port)

    def start(self) -> None:
        """Start it, again after `kill` or `stop`, and return when it answers."""
        if not self._prepared:
            self._recipe.prepare(self._folder)
            self._prepared = True
        self._process = ProcessGroup(
            self._recipe.command(self._folder, self.port),
            self._folder / "output",
            environment=self._environment,
            user=self._recipe.user if os.geteuid() == 0 else None,
        )
        self._wait_until_it_answers(self._process)

    def kill(self) -> None:
        """SIGKILL it with all its children: a crash. Twice is once."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end tidily and wait until it is gone. Twice is once."""
        self._end(self._recipe.stopped_by)

    def freeze(self) -> None:
        """SIGSTOP it: connections stay open, and nothing answers."""
        if self._process is not None:
            self._process.freeze()

    def thaw(self) -> None:
        """Let a frozen server go on."""
        if self._process is not None:
            self._process.thaw()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.thaw()
        try:
            self.stop()
        finally:
            self.kill()

    def _wait_until_it_answers(self, process: ProcessGroup) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not self._recipe.answers(self.port):
            if process.exit_code is not None or time.monotonic() > deadline:
                said = (self._folder / "output").read_text(errors="replace")[-2000:]
                self.kill()
                raise RuntimeError(f"the server of {self.url} did not start\n{said}")
            time.sleep(0.05)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end(number, _PATIENCE)
