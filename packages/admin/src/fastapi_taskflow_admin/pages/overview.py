"""The overview: is everything all right?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Request, Response

from fastapi_taskflow_core.backends.base import InstanceInfo, Query
from fastapi_taskflow_core.counts import together
from fastapi_taskflow_core.metrics import Window, before
from fastapi_taskflow_core.records import TaskStatus

from ..manager import Manager
from ..site import CurrentSite, Site
from . import attention, tiles
from .attention import Concern
from .charts import Panel, panel
from .context import Address, Row, row
from .failures import groups
from .instances import state
from .links import links
from .ranges import Chosen, ChosenRange
from .routes import PageRoute, unless_shared
from .schedules import schedules_of
from .templating import render
from .tiles import Tile

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SHOWN = 8
_FAILURES = 200


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the page shows."""

    health: str
    ever: bool
    ranges: Sequence[tuple[str, str, bool]]
    words: str
    zoomed: bool
    tiles: Sequence[Tile]
    panel: Panel
    attention: Sequence[Concern]
    running: Sequence[Row]


@router.get("/dashboard")
async def overview_page(request: Request, site: CurrentSite, chosen: ChosenRange) -> Response:
    """Figures, charts, what needs attention and what runs."""
    return await unless_shared(request, site, partial(_page, request, site, chosen))


async def _page(request: Request, site: Site, chosen: Chosen) -> str:
    address = Address(request.query_params.multi_items())
    shown = await _overview(site.manager, chosen, address)
    return render("overview.html", base=links(request), title=site.title, shown=shown)


async def _overview(manager: Manager, chosen: Chosen, address: Address) -> Overview:
    history, now = manager.history, manager.history.now()
    shown = chosen.window(now)
    series = await history.chart(shown)
    previous = before(shown)
    earlier = None if previous is None else await history.total(previous)
    counts = together((await history.counts()).values())
    running = await history.query(Query(statuses=frozenset({TaskStatus.RUNNING}), limit=_SHOWN))
    instances = await history.instances()
    waiting, working = counts[TaskStatus.PENDING], counts[TaskStatus.RUNNING]
    return Overview(
        health=health(instances),
        ever=any(counts.values()),
        ranges=chosen.links(address),
        words=chosen.words(shown),
        zoomed=chosen.zoomed,
        tiles=[
            *tiles.present(series, earlier, waiting, working),
            *tiles.past(series, earlier, chosen.query(shown)),
        ],
        panel=panel(series),
        attention=await _concerns(manager, shown, instances),
        running=[row(task, now) for task in running.tasks],
    )


def health(instances: Sequence[InstanceInfo]) -> str:
    """How many processes there are, in words."""
    words = [state(each).word for each in instances]
    counted = Counter(words)
    return ", ".join(f"{number} {word}" for word, number in counted.items())


async def _concerns(
    manager: Manager, shown: Window, instances: Sequence[InstanceInfo]
) -> list[Concern]:
    history = manager.history
    failed = await history.query(
        Query(
            statuses=frozenset({TaskStatus.FAILED}),
            since=shown.since,
            until=shown.until,
            limit=_FAILURES,
        )
    )
    return [
        *attention.of_instances(instances),
        *attention.of_queues(manager.queue_stats().values()),
        *attention.of_schedules(await schedules_of(manager, 1), history.now()),
        *attention.of_failures(groups(failed.tasks)[:_SHOWN]),
    ]
