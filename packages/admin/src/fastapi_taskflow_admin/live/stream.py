"""The stream that open dashboards listen to."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from ..auth.admission import still_admitted, visitor
from ..routing import AdminRoute
from ..site import CurrentSite, Site
from .frames import frame
from .hub import Client, farewell

router = APIRouter(route_class=AdminRoute, include_in_schema=False)

IDLE = 10.0
"""Seconds of silence after which a frame says that there is nothing to say."""

CHECKED_EVERY = 50.0
"""Seconds; with those of `IDLE`, whoever was signed out sees nothing after a minute."""

RENEWED_EVERY = 600.0
"""Seconds after which a stream is asked for anew: an application's own dependency is asked then."""

_LATER = {"Retry-After": "30"}
_QUIET = frame("quiet", {})
_HEADERS = {
    "X-Accel-Buffering": "no",  # nginx
    "Content-Encoding": "identity",  # compressing middleware would hold frames back
}


class LiveResponse(StreamingResponse):
    """The stream of one client, who leaves when it ends, however that comes about."""

    def __init__(self, request: Request, site: Site, client: Client) -> None:
        frames = _frames(request, site, client)
        super().__init__(frames, media_type="text/event-stream", headers=_HEADERS)
        self._leave = partial(site.hub.leave, client)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what happens until somebody goes."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


@router.get("/dashboard/stream")
async def stream(
    request: Request,
    site: CurrentSite,
    last: Annotated[str, Query(max_length=64)] = "",
) -> LiveResponse:
    """What happens, a frame a second at most; ``last`` or ``Last-Event-ID`` resumes."""
    who = visitor(request)
    if site.hub.full(who):
        raise HTTPException(503, "too many dashboards are open", headers=_LATER)
    client = site.hub.join(request.headers.get("last-event-id", last), who)
    return LiveResponse(request, site, client)


async def _frames(request: Request, site: Site, client: Client) -> AsyncIterator[bytes]:
    began = checked = time.monotonic()
    yield b"retry: 2000\n\n" + frame("hello", site.hub.hello())
    while True:
        yield await client.take(IDLE) or _QUIET
        if client.over:
            return
        if time.monotonic() - began >= RENEWED_EVERY:
            yield farewell("renew")
            return
        if time.monotonic() - checked >= CHECKED_EVERY:
            checked = time.monotonic()
            if not await still_admitted(request):
                yield farewell("signed out")
                return
