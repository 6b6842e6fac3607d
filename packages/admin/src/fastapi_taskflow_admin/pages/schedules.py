"""Schedules as a page: when functions run by themselves, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter

from fastapi_taskflow_core.backends.base import Cursor, Query
from fastapi_taskflow_core.backends.scheduling import Later, Slot, SlotOutcome, Turn
from fastapi_taskflow_core.errors import MissingExtra, NotStarted
from fastapi_taskflow_core.records import TaskRecord
from fastapi_taskflow_core.schedules import ScheduleInfo

from ..api.query import CursorText, decode, encode
from ..manager import Manager
from ..site import CurrentSite
from . import formats
from .context import Address
from .links import links
from .routes import PageRoute, unless_known
from .templating import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SLOTS = 20
_WITH_RUNS = 50
"""Schedules of which the runs are looked up, the first; of more only the slots are shown."""
_LATER = 50
_OUTCOMES = {
    SlotOutcome.FIRED: "ran",
    SlotOutcome.SKIPPED: "skipped, it was paused",
    SlotOutcome.MISFIRED: "missed, nothing ran at that time",
    SlotOutcome.OVERLAPPED: "left out, the run before was not over",
}


@dataclass(frozen=True, slots=True)
class Tick:
    """A slot, with what became of its run if that is known."""

    slot: Slot
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule as it is listed."""

    info: ScheduleInfo
    ticks: Sequence[Tick]
    """The oldest first."""
    took: str
    """How long the last run that ended took, and ``last`` is its task."""
    last: str | None
    missed: int


def schedule_row(info: ScheduleInfo, runs: Mapping[str, TaskRecord]) -> ScheduleRow:
    """How a schedule is listed; *runs* are its latest tasks by id."""
    ended = next((task for task in runs.values() if task.duration is not None), None)
    missed = sum(slot.outcome is SlotOutcome.MISFIRED for slot in info.last)
    return ScheduleRow(
        info,
        [_tick(slot, runs.get(slot.task_id or "")) for slot in reversed(info.last)],
        formats.duration(None if ended is None else ended.duration),
        None if ended is None else ended.task_id,
        missed,
    )


def _tick(slot: Slot, run: TaskRecord | None) -> Tick:
    if run is None:
        return Tick(slot, slot.outcome.value, _OUTCOMES[slot.outcome])
    took = "" if run.duration is None else f" after {formats.duration(run.duration)}"
    return Tick(slot, run.status.value, f"{run.status.value}{took}")


@router.get("/dashboard/schedules")
async def schedules_page(
    request: Request, site: CurrentSite, after: Annotated[CursorText | None, Parameter()] = None
) -> Response:
    """When functions run by themselves, and what became of their last slots."""
    found = await schedules_of(site.manager, _SLOTS)
    later = await _later(site.manager, after)
    address = Address(request.query_params.multi_items())
    page = render(
        "schedules.html",
        base=links(request),
        title=site.title,
        rows=[
            schedule_row(info, await _runs(site.manager, info) if n < _WITH_RUNS else {})
            for n, info in enumerate(found)
        ],
        later=later[:_LATER],
        further=address.href(after=_cursor(later[_LATER - 1])) if len(later) > _LATER else None,
        soonest=address.href(after=None) if after else None,
    )
    return unless_known(request, page)


async def schedules_of(manager: Manager, history: int) -> Sequence[ScheduleInfo]:
    """The schedules, each with so many of its last slots; none without a scheduler."""
    try:
        return await manager.schedules.list(history)
    except MissingExtra:
        return ()


async def _runs(manager: Manager, info: ScheduleInfo) -> Mapping[str, TaskRecord]:
    page = await manager.history.query(Query(func_name=info.name, limit=2 * _SLOTS))
    return {task.task_id: task for task in page.tasks}


async def _later(manager: Manager, after: str | None) -> Sequence[Later]:
    """A page of the calls at a time to come, and one more; none where there can be none."""
    cursor = None if after is None else decode(after)
    turn = None if cursor is None else Turn(cursor.created_at, cursor.task_id)
    try:
        return await manager.schedules.later(limit=_LATER + 1, after=turn)
    except (MissingExtra, NotStarted, RuntimeError):
        return ()


def _cursor(last: Later) -> str:
    """Where the page behind this one begins."""
    turn = Turn.of(last.task)
    return encode(Cursor(turn.due, turn.task_id, "newer"))
