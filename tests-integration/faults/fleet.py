"""Real processes that serve the application, and what can be done to them."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

HERE = Path(__file__).parent
SERVERS = {
    "uvicorn": ["uvicorn", "application:app", "--port", "{port}"],
    "uvicorn with two workers": [
        "uvicorn",
        "application:app",
        "--port",
        "{port}",
        "--workers",
        "2",
    ],
    "gunicorn": [
        *["gunicorn", "application:app", "-b", "127.0.0.1:{port}"],
        *["-k", "uvicorn.workers.UvicornWorker"],
    ],
    "hypercorn": ["hypercorn", "application:app", "-b", "127.0.0.1:{port}"],
}


class Instance:
    """One server process and its children."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._process = process

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server, as a supervisor does."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL the server and all its children, and wait until they are gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(20)

    def ended(self, within: float) -> int:
        """The exit code; fails if the server is there for longer."""
        return self._process.wait(within)

    def has_died(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def wait_until_it_answers(self) -> None:
        """Return when it accepts connections."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            assert self._process.poll() is None, "the server did not start"
            time.sleep(0.05)
        raise AssertionError("the server did not answer within 30 s")


@dataclass
class Fleet:
    """Instances over one database and one ledger."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    instances: list[Instance] = field(default_factory=list)

    @property
    def database(self) -> Path:
        """The file that all instances share."""
        return Path(self.settings.get("TASKS_DB", str(self.folder / "tasks.db")))

    def start(self, server: str = "uvicorn", *, answers: bool = True) -> Instance:
        """Start an instance and, unless it will not live that long, wait until it answers."""
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = {
            "TASKS_DB": str(self.folder / "tasks.db"),
            "LEDGER": str(self.folder / "ledger"),
            **self.settings,
        }
        with (self.folder / "output").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *(part.format(port=port) for part in SERVERS[server])],
                cwd=HERE,
                env={**os.environ, **settings},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        instance = Instance(port, process)
        self.instances.append(instance)
        if answers:
            instance.wait_until_it_answers()
        return instance

    def ledger(self) -> Counter[tuple[str, int]]:
        """How often each task did what, by (what, number)."""
        path = self.folder / "ledger"
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter((line.split()[0], int(line.split()[1])) for line in lines)

    def end(self) -> None:
        """Leave no process behind."""
        for instance in self.instances:
            instance.kill()


@dataclass
class Accepted:
    """What clients were promised: task ids by (kind, number)."""

    ids: dict[tuple[str, int], str] = field(default_factory=dict)
    refused: Counter[int] = field(default_factory=Counter)
    """Answers other than 200, by status; 0 is no answer."""

    async def add(
        self, client: httpx.AsyncClient, url: str, kind: str, number: int, **query: str | float
    ) -> bool:
        """Ask for a task, and keep in mind whether it was accepted."""
        try:
            answer = await client.post(f"{url}/add/{kind}/{number}", params=query)
        except httpx.HTTPError:
            self.refused[0] += 1
            return False
        if answer.status_code != 200:
            self.refused[answer.status_code] += 1
            return False
        self.ids[kind, number] = answer.json()
        return True

    def numbers(self, kind: str) -> set[int]:
        """The accepted tasks of one kind."""
        return {number for of, number in self.ids if of == kind}


async def eventually(
    holds: Callable[[], bool | Awaitable[bool]], what: str, within: float = 30
) -> None:
    """Ask until it is so; only for what other processes do."""
    deadline = time.monotonic() + within
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        await asyncio.sleep(0.1)


@contextlib.contextmanager
def fleet(folder: Path, **settings: str) -> Iterator[Fleet]:
    """A fleet that is gone at the end."""
    ships = Fleet(folder, settings)
    try:
        yield ships
    finally:
        ships.end()
