"""Between server and application: start and stop with it, and commit before the response."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable
from typing import Any, Protocol, cast

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .background import ManagedBackgroundTasks
from .errors import BackendError, BackendUnavailable, QueueFullError
from .injection import RequestScope, current_request

logger = logging.getLogger(__name__)

RETRY_AFTER = 5
"""Seconds a client is asked to wait after a 503."""


class Manager(Protocol):
    """What the middleware asks of a manager."""

    async def startup(self) -> None:
        """Start running tasks."""

    async def shutdown(self) -> None:
        """Stop running tasks."""

    def new_list(self) -> ManagedBackgroundTasks:
        """A task list for one request."""


class LifespanMiddleware:
    """Starts and stops a manager with the application; see `run_lifespan`."""

    def __init__(self, app: ASGIApp, manager: Manager) -> None:
        self._app = app
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            await run_lifespan(self._app, self._manager, scope, receive, send)
        else:
            await self._app(scope, receive, send)


class TaskListMiddleware:
    """Gives every request its task list; holds the response until its promises are durable.

    Starts and stops the manager with the application too.
    """

    def __init__(self, app: ASGIApp, manager: Manager) -> None:
        self._app = app
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await run_lifespan(self._app, self._manager, scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = RequestScope(self._manager, self._manager.new_list)
        refused = started = False

        async def send_when_durable(tasks: ManagedBackgroundTasks, message: Message) -> None:
            nonlocal refused
            try:
                await tasks.commit()
            except BackendUnavailable as error:
                refused = True
                await _refuse(send, error)
            else:
                await send(message)

        def hold_and_send(message: Message) -> Awaitable[None]:
            nonlocal started
            started = True
            if refused:
                return _ignored()
            tasks = request.tasks
            if tasks is not None and _succeeds(message):
                if tasks.promises:
                    return send_when_durable(tasks, message)
                tasks.accept()
            return send(message)

        try:
            await self._serve(request, scope, receive, hold_and_send)
        except QueueFullError as error:
            if started:
                raise
            await _refuse(send, error)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        def running_list() -> ManagedBackgroundTasks:
            tasks = self._manager.new_list()
            tasks.run()
            return tasks

        await self._serve(RequestScope(self._manager, running_list), scope, receive, send)

    async def _serve(
        self, request: RequestScope, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the application answer; what was accepted runs, whatever becomes of the answer."""
        token = current_request.set(request)
        try:
            try:
                await self._app(scope, receive, send)
            finally:
                current_request.reset(token)
                tasks = request.tasks
                request.end()
        except BaseException as error:
            if tasks is not None:
                _drop_unasked(tasks)
                tasks.run()
                if not isinstance(error, asyncio.CancelledError):
                    await tasks.finish()
            raise
        if tasks is not None and not tasks.finished:
            _drop_unasked(tasks)
            await tasks.finish()


async def run_lifespan(
    app: ASGIApp, manager: Manager, scope: Scope, receive: Receive, send: Send
) -> None:
    """Start *manager* just before *app* reports that it has started, and stop it just before
    *app* is told to shut down: the application's resources are open around our tasks.
    """
    failure: BackendError | None = None

    async def receive_and_stop() -> Message:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await manager.shutdown()
        return message

    async def start_and_send(message: Message) -> None:
        nonlocal failure
        if message["type"] == "lifespan.startup.complete":
            try:
                await manager.startup()
            except BackendError as error:
                failure = error
                raise
        elif message["type"] == "lifespan.startup.failed" and failure is not None:
            # One line for the operator; a traceback would lead into this library.
            message = {**message, "message": f"fastapi-taskflow cannot start: {failure}"}
        await send(message)

    try:
        await app(scope, receive_and_stop, start_and_send)
    finally:
        await manager.shutdown()


def installed(app: FastAPI, kind: type[LifespanMiddleware | TaskListMiddleware]) -> list[object]:
    """The managers that middleware of this kind was added to *app* for."""
    return [each.args[0] for each in app.user_middleware if cast("object", each.cls) is kind]


def _succeeds(message: Message) -> bool:
    return bool(message["type"] == "http.response.start" and message["status"] < 400)


async def _ignored() -> None:
    """The rest of an answer that was replaced by a 503."""


def _drop_unasked(tasks: ManagedBackgroundTasks) -> None:
    """FastAPI asks for tasks to run unless the route raised: then those never were."""
    if not tasks.called:
        tasks.discard()


async def _refuse(send: Send, error: BackendUnavailable | QueueFullError) -> None:
    why = "have no room" if isinstance(error, QueueFullError) else "could not be stored"
    body = json.dumps(
        {
            "detail": f"The request was not accepted: its background tasks {why}.",
            "reason": str(error),
        }
    ).encode()
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(RETRY_AFTER).encode()),
    ]
    start: dict[str, Any] = {"type": "http.response.start", "status": 503, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
