"""The audit trail as a page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from ..api.audit import AuditParameters, entries
from ..site import CurrentSite
from .context import Address
from .links import links
from .routes import PageRoute
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/dashboard/audit")
async def audit_page(
    request: Request, site: CurrentSite, wanted: Annotated[AuditParameters, Query()]
) -> HTMLResponse:
    """Who did what."""
    shown, following = await entries(site.manager.audit, wanted)
    address = Address(request.query_params.multi_items())
    page = render(
        "audit.html",
        base=links(request),
        title=site.title,
        entries=shown,
        address=address,
        older=None if following is None else address.href(before=following),
        first=address.href(before=None) if wanted.before else None,
        filtered=bool(wanted.actor or wanted.action),
    )
    return HTMLResponse(page)
