"""What all routes of the admin have in common: headers, and errors as status codes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, assert_never

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from fastapi_taskflow_core.errors import (
    BackendUnavailable,
    FunctionUnknown,
    NotStarted,
    PayloadError,
    QueueFullError,
    ScheduleNotFound,
    TaskNotFound,
    TaskStateError,
)

from .auth.deeds import recorded

Refusal = (
    TaskNotFound
    | TaskStateError
    | FunctionUnknown
    | PayloadError
    | ScheduleNotFound
    | NotStarted
    | QueueFullError
    | BackendUnavailable
)
REFUSALS = (
    TaskNotFound,
    TaskStateError,
    FunctionUnknown,
    PayloadError,
    ScheduleNotFound,
    NotStarted,
    QueueFullError,
    BackendUnavailable,
)

RETRY_AFTER = 5

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class AdminRoute(APIRoute):
    """A route whose every response is protected, whose task errors are HTTP errors, and whose
    changes are entered in the audit trail.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with the package's errors translated, and recorded."""
        handle = super().get_route_handler()

        async def translated(request: Request) -> Response:
            try:
                return await handle(request)
            except REFUSALS as error:
                raise refused(error) from error

        async def answered(request: Request) -> Response:
            return await recorded(request, translated, with_body=self.body_field is not None)

        return answered

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, errors included, with the security headers."""

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await super().handle(scope, receive, protected)


def refused(error: Refusal) -> HTTPException:
    """The HTTP error for something that could not be done."""
    match error:
        case TaskNotFound() | ScheduleNotFound():
            return HTTPException(404, str(error))
        case TaskStateError():
            return HTTPException(400, str(error))
        case FunctionUnknown() | PayloadError():
            return HTTPException(409, str(error))
        case BackendUnavailable() | NotStarted() | QueueFullError():
            return HTTPException(503, str(error), headers={"Retry-After": str(RETRY_AFTER)})
        case _:
            assert_never(error)
