"""Between server and application: start and stop with it, and commit before the response."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
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

    @property
    def fresh(self) -> bool:
        """Whether it was never started."""

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

    Starts and stops the manager with the application too. Nobody runs the lifespan of an
    application that is mounted in another: there the first request starts the manager.
    """

    def __init__(self, app: ASGIApp, manager: Manager) -> None:
        self._app = app
        self._manager = manager

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            return run_lifespan(self._app, self._manager, scope, receive, send)
        # Servers say what they speak; a test client may bring a new event loop with every
        # request, where nothing that is started could live on.
        if self._manager.fresh and "spec_version" in scope.get("asgi", {}):
            return self._start_late(scope, receive, send)
        if scope["type"] == "http":
            exchange = _Exchange(self._manager, self._manager.new_list, send)
            return self._serve(exchange, scope, receive, send, exchange.send)
        conversation = RequestScope(self._manager, self._running_list)
        return self._serve(conversation, scope, receive, send, send)

    def _running_list(self) -> ManagedBackgroundTasks:
        tasks = self._manager.new_list()
        tasks.run()
        return tasks

    async def _start_late(self, scope: Scope, receive: Receive, send: Send) -> None:
        logger.warning(
            "a request came before the start: nobody runs the lifespan of this application,"
            " perhaps because it is mounted in another one; call task_manager.init_app(app)"
            " for that one, to start and stop with it"
        )
        try:
            await self._manager.startup()
        except BackendError as error:
            if scope["type"] != "http":
                raise
            await _refuse(send, error)
        else:
            await self(scope, receive, send)

    async def _serve(
        self, request: RequestScope, scope: Scope, receive: Receive, send: Send, answer: Send
    ) -> None:
        """Let the application *answer*; what was accepted runs, whatever becomes of that."""
        token = current_request.set(request)
        try:
            try:
                await self._app(scope, receive, answer)
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
            if isinstance(error, QueueFullError) and not request.answered:
                await _refuse(send, error)
                return
            raise
        if tasks is not None and not tasks.finished:
            _drop_unasked(tasks)
            await tasks.finish()


class _Exchange(RequestScope):
    """One HTTP request, whose answer is held back until what it promises is durable."""

    __slots__ = ("_send",)

    def __init__(
        self, owner: object, make: Callable[[], ManagedBackgroundTasks], send: Send
    ) -> None:
        RequestScope.__init__(self, owner, make)  # for every request: super() takes longer
        self.answered = False
        self._send = send

    def end(self) -> None:
        """See `RequestScope.end`."""
        RequestScope.end(self)
        self._send = _unheard

    def send(self, message: Message) -> Awaitable[None]:
        """Send the next part of the answer, unless it was replaced by a 503."""
        self.answered = True
        tasks = self.tasks
        if (
            tasks is not None
            and message["type"] == "http.response.start"
            and message["status"] < 400
        ):
            if tasks.promises:
                return self._send_when_durable(tasks, message)
            tasks.accept()
        return self._send(message)

    async def _send_when_durable(self, tasks: ManagedBackgroundTasks, message: Message) -> None:
        try:
            await tasks.commit()
        except BackendUnavailable as error:
            send, self._send = self._send, _unheard
            await _refuse(send, error)
        else:
            await self._send(message)


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


async def _unheard(message: Message) -> None:
    """Part of an answer that was replaced by a 503, or of one that is over."""


def _drop_unasked(tasks: ManagedBackgroundTasks) -> None:
    """FastAPI asks for tasks to run unless the route raised: then those never were."""
    if not tasks.called:
        tasks.discard()


async def _refuse(send: Send, error: BackendError | QueueFullError) -> None:
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
