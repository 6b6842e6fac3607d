"""The storage, and the processes that run tasks."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ..routing import AdminRoute
from ..site import CurrentSite
from .schemas import HealthOut, InstanceOut

router = APIRouter(route_class=AdminRoute)


@router.get(
    "/health",
    responses={503: {"model": HealthOut, "description": "The storage cannot be reached."}},
)
async def get_health(site: CurrentSite, response: Response) -> HealthOut:
    """Whether tasks can be stored, and what has not been written yet."""
    health = HealthOut.of(site.manager.health())
    if not health.ok:
        response.status_code = 503
    return health


@router.get("/instances")
async def list_instances(site: CurrentSite) -> list[InstanceOut]:
    """Every instance that shares the storage, the longest started first."""
    return InstanceOut.all(await site.manager.history.instances())
