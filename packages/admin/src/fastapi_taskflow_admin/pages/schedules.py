"""Schedules as a page."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from fastapi_taskflow_core.errors import MissingExtra
from fastapi_taskflow_core.schedules import ScheduleInfo

from ..manager import Manager
from ..site import CurrentSite
from .links import links
from .routes import PageRoute, unless_known
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/dashboard/schedules")
async def schedules_page(request: Request, site: CurrentSite) -> Response:
    """When functions run by themselves, and what became of their last slots."""
    page = render(
        "schedules.html",
        base=links(request),
        title=site.title,
        schedules=await _schedules(site.manager),
    )
    return unless_known(request, page)


async def _schedules(manager: Manager) -> Sequence[ScheduleInfo]:
    try:
        return await manager.schedules.list()
    except MissingExtra:
        return ()
