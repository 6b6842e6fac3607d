"""Mount the HTTP API and the dashboard on an application."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Depends, FastAPI
from fastapi.params import Depends as Dependency

from fastapi_taskflow_core import checks

from .api import metrics, queues, schedules, system, tasks
from .api.schemas import problem
from .auth.guard import same_machine, same_site
from .manager import Manager
from .pages import assets, routes
from .site import Site

Auth = Callable[..., object] | bool | None

logger = logging.getLogger(__name__)

_PATH = re.compile(r"(/[\w.~-]+)+")
_RESPONSES = problem(403, "Not answered from there, or a cross-site change.") | problem(
    503, "The storage cannot be reached now."
)


@dataclass(frozen=True, slots=True)
class _Guards:
    machine: list[Dependency] = field(default_factory=list)
    user: list[Dependency] = field(default_factory=list)


class TaskAdmin:
    """The HTTP API and the dashboard of a task manager, under a path of an application.

    It starts and stops the manager with the application.

    Args:
        app: The application.
        task_manager: The manager that is shown.
        path: Where the API begins; the dashboard is at ``{path}/dashboard``.
        title: The heading of the dashboard.
        auto_install: Let every ``BackgroundTasks`` of the application be a task list of
            the manager.
        auth: Who is answered. None: only this machine. A FastAPI dependency: whom it
            admits, by raising ``HTTPException`` for all others. False: everyone, because
            something else protects the path.
        secret_key: Signs login sessions; a dependency as *auth* has none.
        token_expiry: Seconds a login session lasts.
        display_func_args: Store the arguments of all tasks where possible, and show them.
        poll_interval: The most seconds between two refreshes of an open dashboard.
        retention_days: Remove finished tasks that are older; None keeps them.

    Raises:
        TypeError: An argument of the wrong kind; it is named.
        ValueError: An argument that makes no sense; it is named.
    """

    def __init__(
        self,
        app: FastAPI,
        task_manager: Manager,
        path: str = "/tasks",
        title: str = "fastapi-taskflow",
        auto_install: bool = False,
        auth: Auth = None,
        secret_key: str | None = None,
        token_expiry: float = 86400,
        display_func_args: bool = False,
        poll_interval: float = 30.0,
        retention_days: float | None = None,
    ) -> None:
        if not isinstance(app, FastAPI):
            raise TypeError(checks.wrong("app", "a FastAPI application", app))
        self.path = _checked_path(path)
        self.auth = _checked_auth(auth)
        site = Site(
            manager=task_manager,
            title=checks.text("title", title),
            display_func_args=checks.flag("display_func_args", display_func_args),
            poll_interval=checks.number("poll_interval", poll_interval, least=1),
        )
        if secret_key is not None:
            checks.text("secret_key", secret_key, longest=4096)
        checks.seconds("token_expiry", token_expiry, zero=False)
        if retention_days is not None:
            days = checks.number("retention_days", retention_days, least=0, most=36_500)
            task_manager.keep_history(days)
        if site.display_func_args:
            task_manager.keep_arguments()
        if checks.flag("auto_install", auto_install):
            task_manager.install(app)
        else:
            task_manager.init_app(app)
        self._mount(app, site)

    def _mount(self, app: FastAPI, site: Site) -> None:
        guards = _guards(self.auth)
        app.include_router(assets.router, prefix=self.path, dependencies=guards.machine)
        for router in (
            metrics.router,
            system.router,
            queues.router,
            schedules.router,
            routes.router,
            tasks.router,
        ):
            app.include_router(
                router,
                prefix=self.path,
                dependencies=[
                    Depends(site.enter),
                    *guards.machine,
                    *guards.user,
                    Depends(same_site),
                ],
                tags=["tasks"],
                responses=_RESPONSES,
            )
        if self.auth is None:
            logger.warning("%s answers only this machine: set TaskAdmin(auth=...)", self.path)


def _guards(auth: Auth) -> _Guards:
    """Who is let in: assets, which hold no data, need only the right machine."""
    if callable(auth):
        return _Guards(user=[Depends(auth)])
    return _Guards(machine=[Depends(same_machine)] if auth is None else [])


def _checked_path(path: object) -> str:
    """The path without a slash at its end; it needs a name, or it would take every route."""
    stripped = checks.text("path", path).rstrip("/")
    if not _PATH.fullmatch(stripped):
        raise ValueError(checks.wrong("path", "a path such as '/tasks'", path))
    return stripped


def _checked_auth(auth: object) -> Auth:
    if auth is None or auth is False or callable(auth):
        return auth
    raise TypeError(checks.wrong("auth", "None, False or a FastAPI dependency", auth))
