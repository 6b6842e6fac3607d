"""Several processes of the application over one storage, and what their clients were promised."""

import asyncio
import fcntl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from fastapi_taskflow_testkit.faults import AppServer, Ledger, Proxy

HERE = Path(__file__).parent


@dataclass
class Fleet:
    """Servers over one storage and one ledger."""

    folder: Path
    url: str
    """Of the storage."""
    settings: dict[str, str] = field(default_factory=dict)
    servers: list[AppServer] = field(default_factory=list)

    @property
    def database(self) -> Path:
        """The SQLite file that all servers share."""
        return Path(self.url.removeprefix("sqlite:///"))

    @property
    def ledger(self) -> Ledger:
        """What the tasks say that they do."""
        return Ledger(self.folder / "ledger")

    def let_go(self) -> None:
        """Let the tasks end that are held."""
        (self.folder / "go").touch()

    def start(self, server: str = "uvicorn", *, answers: bool = True, **settings: str) -> AppServer:
        """Start a server and, unless it will not live that long, wait until it answers."""
        environment = {
            "TASKS_URL": self.url,
            "LEDGER": str(self.folder / "ledger"),
            **self.settings,
            **settings,
        }
        started = AppServer.of(
            "application:app", HERE, environment, server=server, output=self.folder
        )
        self.servers.append(started)
        return started.wait_until_it_answers() if answers else started

    def freeze(self, server: AppServer) -> None:
        """Let a server stand still, but not in the middle of a write.

        SQLite has one lock for all who write: who stands still with it stops the others too.
        """
        with self._nobody_writes():
            server.freeze()

    @contextmanager
    def _nobody_writes(self) -> Iterator[None]:
        if not self.url.startswith("sqlite:"):
            yield  # elsewhere a process is in the way of nothing but the rows that it writes
            return
        with self.database.with_name(f"{self.database.name}.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def ran(self) -> Counter[tuple[str, int]]:
        """How often each task did what, by (what, number)."""
        return self.ledger.counts()

    def end(self) -> None:
        """Leave no process behind."""
        for server in self.servers:
            server.kill()


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

    async def statuses(
        self, client: httpx.AsyncClient, server: AppServer
    ) -> dict[tuple[str, int], str]:
        """Where the accepted tasks stand, as a server sees it."""
        return {
            which: (await client.get(f"{server.url}/tasks/{task_id}")).json()["status"]
            for which, task_id in self.ids.items()
        }


def through(proxy: Proxy, url: str) -> str:
    """The address of the same storage, by way of the proxy."""
    return url.replace(f":{urlsplit(url).port}", f":{proxy.port}")


async def at_rest(client: httpx.AsyncClient, server: AppServer) -> bool:
    """Whether no task waits or runs anywhere, as a server sees it."""
    seen = (await client.get(f"{server.url}/tasks/metrics")).json()
    return bool(seen["pending"] == seen["running"] == 0)


async def eventually(
    holds: Callable[[], bool | Awaitable[bool]], what: str, within: float = 60
) -> None:
    """Ask until it is so; only for what other processes do."""
    deadline = time.monotonic() + within
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        await asyncio.sleep(0.05)
