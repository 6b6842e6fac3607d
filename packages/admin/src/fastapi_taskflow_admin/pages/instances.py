"""The processes that share the storage, as a page."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from fastapi_taskflow_core.backends.base import InstanceInfo, Page, Query

from ..site import CurrentSite
from .links import links
from .routes import PageRoute, unless_known
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SILENT = 2 / 3
"""Of its lease, without a sign of life, after which an instance is shown as silent: two beats."""
_COUNTED = 99
"""Tasks of an instance that are counted; of more it is told that there are more."""
_LAGGING = 0.25
"""Seconds by which an event loop is late when something holds it up."""


@dataclass(frozen=True, slots=True)
class State:
    """How an instance is, with the colour of a status that is as good or bad."""

    word: str
    kind: str


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance as it is listed."""

    info: InstanceInfo
    state: State
    lagging: bool
    claims: str
    """How many unfinished tasks are its own in the storage; empty without any."""


def instance_row(instance: InstanceInfo, claims: Page) -> InstanceRow:
    """How an instance is listed that has these tasks."""
    more = "+" if claims.next else ""
    number = f"{len(claims.tasks)}{more}" if claims.tasks else ""
    return InstanceRow(instance, state(instance), instance.loop_lag >= _LAGGING, number)


def state(instance: InstanceInfo) -> State:
    """How an instance is, by its signs of life."""
    if not instance.living:
        return State("dead", "failed")
    if instance.beat_age > _SILENT * instance.lease:
        return State("silent", "interrupted")
    return State("draining", "retrying") if instance.draining else State("living", "success")


@router.get("/dashboard/instances")
async def instances_page(request: Request, site: CurrentSite) -> Response:
    """Who runs tasks."""
    history = site.manager.history
    rows = [
        instance_row(each, await history.query(Query(owner=each.instance, limit=_COUNTED)))
        for each in await history.instances()
    ]
    page = render(
        "instances.html",
        base=links(request),
        title=site.title,
        rows=rows,
    )
    return unless_known(request, page)
