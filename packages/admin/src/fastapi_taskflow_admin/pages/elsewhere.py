"""Addresses below the dashboard that are no page: a slash too many, or a mistake."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse

from ..site import CurrentSite, Site
from .routes import NOWHERE, PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/dashboard/{rest:path}")
async def elsewhere(request: Request, site: CurrentSite, rest: str) -> RedirectResponse:
    """The page that was meant; the framework's own redirect would not know of a proxy's prefix."""
    if rest and not rest.endswith("/"):
        raise HTTPException(404, NOWHERE)
    return redirect(request, site)


def redirect(request: Request, site: Site) -> RedirectResponse:
    """To the same address without what is empty at its end, relative to where one is."""
    place = quote(site.place(request).rstrip("/ "))
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{site.up(request)}{place}{query}", 307)
