"""The processes that share the storage, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from fastapi_taskflow_core.backends.base import InstanceInfo

from ..site import CurrentSite
from .context import trouble
from .links import links
from .routes import PageRoute, unless_known
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SILENT = 10.0
"""Seconds without a sign of life after which an instance is shown as silent."""


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance as it is listed."""

    info: InstanceInfo
    state: str
    kind: str


def instance_rows(instances: Sequence[InstanceInfo]) -> list[InstanceRow]:
    """How instances are listed."""
    return [InstanceRow(each, *_state(each)) for each in instances]


def _state(instance: InstanceInfo) -> tuple[str, str]:
    if not instance.living:
        return "dead", "failed"
    if instance.beat_age > _SILENT:
        return "silent", "interrupted"
    return ("draining", "retrying") if instance.draining else ("living", "success")


@router.get("/dashboard/instances")
async def instances_page(request: Request, site: CurrentSite) -> Response:
    """Who runs tasks."""
    page = render(
        "instances.html",
        base=links(request),
        title=site.title,
        rows=instance_rows(await site.manager.history.instances()),
        trouble=trouble(site.manager.health()),
    )
    return unless_known(request, page)
