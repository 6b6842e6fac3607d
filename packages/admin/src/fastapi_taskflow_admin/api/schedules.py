"""Schedules: when they run, what became of their slots, pause, resume and run now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path

from fastapi_taskflow_core.errors import MissingExtra
from fastapi_taskflow_core.schedules import Scheduler

from ..manager import Manager
from ..routing import AdminRoute
from ..site import CurrentSite
from .query import Text
from .schemas import ScheduleOut, ScheduleRunOut, problem

router = APIRouter(route_class=AdminRoute)

ScheduleName = Annotated[Text, Path(description="The schedule's name, which is its task's.")]

_NOT_FOUND = problem(404, "The process that answers has no such schedule.")


@router.get("/schedules")
async def list_schedules(site: CurrentSite) -> list[ScheduleOut]:
    """The schedules of the process that answers, by name: next five slots, last twenty."""
    return [ScheduleOut.model_validate(it) for it in await _scheduler(site.manager).list()]


@router.get("/schedules/{name:path}", responses=_NOT_FOUND)
async def get_schedule(site: CurrentSite, name: ScheduleName) -> ScheduleOut:
    """One schedule of the process that answers."""
    return ScheduleOut.model_validate(await _scheduler(site.manager).get(name))


@router.post("/schedules/{name:path}/run", responses=_NOT_FOUND)
async def run_schedule(site: CurrentSite, name: ScheduleName) -> ScheduleRunOut:
    """Run it now, paused or not."""
    return ScheduleRunOut(task_id=await _scheduler(site.manager).run(name))


@router.post("/schedules/{name:path}/pause", responses=_NOT_FOUND)
async def pause_schedule(site: CurrentSite, name: ScheduleName) -> ScheduleOut:
    """Skip its slots on every instance, until it is resumed."""
    await _scheduler(site.manager).pause(name)
    return await get_schedule(site, name)


@router.post("/schedules/{name:path}/resume", responses=_NOT_FOUND)
async def resume_schedule(site: CurrentSite, name: ScheduleName) -> ScheduleOut:
    """Run it again, from the next slot on."""
    await _scheduler(site.manager).resume(name)
    return await get_schedule(site, name)


def _scheduler(manager: Manager) -> Scheduler:
    try:
        return manager.schedules
    except MissingExtra as error:
        raise HTTPException(501, str(error)) from error
