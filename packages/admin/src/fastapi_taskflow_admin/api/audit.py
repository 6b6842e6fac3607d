"""The audit trail: who did what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from fastapi_taskflow_core.backends.audit import AuditEntry, AuditQuery, AuditStore

from ..routing import AdminRoute
from ..site import CurrentSite
from .linking import link
from .query import LARGEST_PAGE, OptionalText
from .schemas import AuditOut

router = APIRouter(route_class=AdminRoute)


class AuditParameters(BaseModel):
    """Which entries to list."""

    actor: OptionalText = Field(default=None, description="Who did it.")
    action: OptionalText = Field(default=None, description="What was done, such as `retry`.")
    before: OptionalText = Field(
        default=None, description="Only entries older than the one of this id."
    )
    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE, description="Entries on a page.")


async def entries(
    store: AuditStore, wanted: AuditParameters
) -> tuple[list[AuditEntry], str | None]:
    """A page of the trail, newest first, and the id before which the next page begins."""
    query = AuditQuery(wanted.actor, wanted.action, wanted.before, wanted.limit + 1)
    found = list(await store.audit(query))
    shown = found[: wanted.limit]
    return shown, shown[-1].entry_id if len(found) > wanted.limit else None


@router.get("/audit")
async def list_audit(
    request: Request,
    response: Response,
    site: CurrentSite,
    wanted: Annotated[AuditParameters, Query()],
) -> list[AuditOut]:
    """Who did what, newest first. The `Link` header has the next page."""
    shown, following = await entries(site.manager.audit, wanted)
    if following is not None:
        response.headers["Link"] = link(request, "next", before=following)
    return [AuditOut.model_validate(entry) for entry in shown]
