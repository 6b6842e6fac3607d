"""Queues: how they stand, their limits, pause and resume."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path

from ..manager import Manager
from ..routing import AdminRoute
from ..site import CurrentSite
from .query import Text
from .schemas import UNREADABLE, QueueChange, QueueOut, problem

router = APIRouter(route_class=AdminRoute)

QueueName = Annotated[Text, Path(description="The queue's name.")]

_NOT_FOUND = problem(404, "There is no such queue.")


@router.get("/queues")
async def list_queues(site: CurrentSite) -> list[QueueOut]:
    """The queues of the process that answers, by name: limits, and what runs and waits."""
    return [QueueOut.model_validate(it) for it in site.manager.queue_stats().values()]


@router.get("/queues/{name:path}", responses=_NOT_FOUND)
async def get_queue(site: CurrentSite, name: QueueName) -> QueueOut:
    """One queue of the process that answers."""
    return _found(site.manager, name)


@router.patch("/queues/{name:path}", responses=_NOT_FOUND | UNREADABLE)
async def change_queue(site: CurrentSite, name: QueueName, change: QueueChange) -> QueueOut:
    """Change limits: here at once, on other instances within seconds, and lastingly.

    A limit that is left out stays; null is no limit.
    """
    _found(site.manager, name)
    site.manager.update_queue_config(name, **change.model_dump(exclude_unset=True))
    return _found(site.manager, name)


@router.post("/queues/{name:path}/pause", responses=_NOT_FOUND)
async def pause_queue(site: CurrentSite, name: QueueName) -> QueueOut:
    """Let nothing more of the queue begin, on any instance."""
    _found(site.manager, name)
    site.manager.pause_queue(name)
    return _found(site.manager, name)


@router.post("/queues/{name:path}/resume", responses=_NOT_FOUND)
async def resume_queue(site: CurrentSite, name: QueueName) -> QueueOut:
    """Let the tasks of a paused queue begin again."""
    _found(site.manager, name)
    site.manager.resume_queue(name)
    return _found(site.manager, name)


def _found(manager: Manager, name: str) -> QueueOut:
    stats = manager.queue_stats().get(name)
    if stats is None:
        raise HTTPException(404, f"no queue {name!r}")
    return QueueOut.model_validate(stats)
