"""Changes that people ask for, entered in the audit trail with what came of them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError

from ..site import entered
from .guard import SAFE_METHODS, client_address
from .rules import rule_for

TOLD = ("dispatched", "skipped", "deleted", "task_id")
"""What an answer says of its outcome."""

Handle = Callable[[Request], Awaitable[Response]]


async def recorded(request: Request, handle: Handle, *, with_body: bool) -> Response:
    """Answer a request; one for a change by somebody who was let in is entered.

    A request that could not be understood has changed nothing, and is not.
    """
    if request.method in SAFE_METHODS:
        return await handle(request)
    try:
        response = await handle(request)
    except HTTPException as error:
        await _enter(request, f"{error.status_code}: {error.detail}", with_body=with_body)
        raise
    except RequestValidationError:
        raise
    except Exception as error:
        await _enter(request, f"500: {type(error).__name__}", with_body=with_body)
        raise
    await _enter(request, outcome(response), with_body=with_body)
    return response


async def _enter(request: Request, result: str, *, with_body: bool) -> None:
    site = entered(request)
    if site is None or site.user is None:
        return
    site.shared.clear()
    function = getattr(request.scope["endpoint"], "__name__", "")
    await site.trail.note_done(
        site.user.name,
        client_address(request),
        rule_for(function, request.method).action,
        target(request, await request.body() if with_body else b""),
        result,
    )


def target(request: Request, body: bytes) -> str:
    """To what something is done: the names in the path, the query and the body."""
    parts = [
        *map(str, request.path_params.values()),
        request.url.query,
        body.decode(errors="replace"),
    ]
    return " ".join(part for part in parts if part)


def outcome(response: Response) -> str:
    """``ok``, or the status, with the figures of the answer."""
    result = "ok" if response.status_code < 400 else str(response.status_code)
    try:
        answer = json.loads(bytes(getattr(response, "body", b"")))
    except ValueError:
        return result
    told = answer if isinstance(answer, dict) else {}
    figures = [f"{name} {told[name]}" for name in TOLD if told.get(name) is not None]
    return ", ".join([result, *figures])
