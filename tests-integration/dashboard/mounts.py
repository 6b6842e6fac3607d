"""One dashboard under many addresses, as servers, proxies and other applications mount it."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_taskflow import TaskAdmin, TaskManager


async def charge(order: int) -> None:
    raise ValueError(f"order {order} was refused")


MANAGERS: dict[str, TaskManager] = {}


def shown(name: str, path: str = "/tasks", **options: object) -> FastAPI:
    """An application with a dashboard, and a manager of its own."""
    manager = TaskManager(snapshot_db=Path(os.environ["FOLDER"], f"{name}.db"))
    manager.task()(charge)
    MANAGERS[name] = manager
    app = FastAPI(**options)
    TaskAdmin(app, manager, path=path, auth=("ada", "secret"))
    return app


class Proxy:
    """Takes a prefix away, and says so to the application, or does not.

    Args:
        app: What is behind it.
        prefix: What it takes away.
        root_path: What it says of it.
        whole: Whether the application gets the whole path all the same, as uvicorn with
            ``--root-path`` gives it.
    """

    def __init__(
        self, app: ASGIApp, prefix: str, root_path: str = "", *, whole: bool = False
    ) -> None:
        self._app = app
        self._prefix = prefix
        self._root_path = root_path
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if self._whole else scope["path"].removeprefix(self._prefix)
        inside = {"path": path, "raw_path": path.encode(), "root_path": self._root_path}
        await self._app({**scope, **inside}, receive, send)


outer = FastAPI()
outer.mount("/sub/app", shown("sub"))
zipped = shown("zip", "/zip/tasks")
zipped.add_middleware(GZipMiddleware, minimum_size=1)

PLACES: dict[str, ASGIApp] = {
    "admin": shown("admin", "/admin/of/all-tasks"),
    "api": Proxy(shown("api"), "/api/v1", "/api/v1", whole=True),
    "old": Proxy(shown("old"), "/old", "/old"),
    "own": Proxy(shown("own", root_path="/own"), "/own"),
    "quiet": Proxy(shown("quiet"), "/quiet/x"),
    "sub": outer,
    "zip": zipped,
}
"""By the first part of the path."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as started:
        for manager in MANAGERS.values():
            await manager.startup()
            started.push_async_callback(manager.shutdown)
        yield


front = FastAPI(lifespan=lifespan)


@front.post("/charge/{name}")
async def add(name: str) -> str:
    return await MANAGERS[name].enqueue(charge, 1)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand each request to the application that its path belongs to."""
    first = scope["path"].split("/")[1] if scope["type"] == "http" else ""
    await PLACES.get(first, front)(scope, receive, send)
