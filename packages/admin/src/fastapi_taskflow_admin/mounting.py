"""All routes of the admin, and who comes through to them."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from .api import audit, metrics, queues, schedules, system, tasks
from .api.schemas import problem
from .auth.admission import admitted, who_asks
from .auth.guard import same_machine
from .live import stream
from .pages import assets, elsewhere, failures, functions, instances, log, overview, routes
from .pages import audit as audit_pages
from .pages import login as login_pages
from .pages import queues as queue_pages
from .pages import schedules as schedule_pages
from .pages import task as task_pages
from .site import Site

_RESPONSES = problem(403, "Not answered from there, or a cross-site change.") | problem(
    503, "The storage cannot be reached now."
)


ROUTERS = (
    routes.router,
    stream.router,
    metrics.router,
    system.router,
    queues.router,
    schedules.router,
    audit.router,
    task_pages.router,
    log.router,
    overview.router,
    failures.router,
    functions.router,
    queue_pages.router,
    schedule_pages.router,
    instances.router,
    audit_pages.router,
    elsewhere.router,
    tasks.router,
)
"""All that is guarded: first what is asked for most often; last pages that are none, and the
tasks, because ``/{task_id}`` takes every name.
"""


def mount(app: FastAPI, site: Site, guarded_by: object) -> None:
    """Give the application the routes of *site*, below its path."""
    enter = Depends(site.enter)
    # Style and scripts hold no data: they need only the right machine.
    machine = [Depends(same_machine)] if guarded_by is None else []
    app.include_router(assets.router, prefix=site.path, dependencies=[enter, *machine])
    responses = _RESPONSES
    if site.login is not None:
        app.include_router(login_pages.router, prefix=site.path, dependencies=[enter])
        responses |= problem(401, "There is no session, or it is over.")
    guard = Depends(admitted(who_asks(guarded_by, site)))
    for router in ROUTERS:
        app.include_router(
            router,
            prefix=site.path,
            dependencies=[enter, guard],
            tags=["tasks"],
            responses=responses,
        )
