"""Figures and charts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fastapi_taskflow_core.metrics import SeriesRange

from ..routing import AdminRoute
from ..site import CurrentSite
from .query import OptionalText
from .schemas import MetricsOut, SeriesOut

router = APIRouter(route_class=AdminRoute)


@router.get("/metrics")
async def get_metrics(site: CurrentSite) -> MetricsOut:
    """Counts, success rate and run times over all tasks, and by function."""
    return MetricsOut.of(await site.manager.history.metrics())


@router.get("/metrics/series")
async def get_series(
    site: CurrentSite,
    span: Annotated[
        SeriesRange, Query(alias="range", description="How far back the chart goes.")
    ] = "1h",
    func_name: Annotated[OptionalText, Query(description="Only this function.")] = None,
    queue: Annotated[OptionalText, Query(description="Only this queue.")] = None,
) -> SeriesOut:
    """At most 180 steps of a chart: what started, succeeded, failed, and how long it took."""
    return SeriesOut.of(await site.manager.history.series(span, func_name, queue))
