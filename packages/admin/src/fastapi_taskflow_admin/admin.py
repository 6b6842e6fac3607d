"""Mount the HTTP API and the dashboard on an application."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, cast

from fastapi import FastAPI

from fastapi_taskflow_core import checks

from .auth.backend import ApplicationUsers, TaskAuthBackend, Users, listed
from .auth.login import Login
from .auth.permissions import Grant
from .auth.sessions import Sessions
from .auth.throttle import Throttle
from .auth.trail import Trail
from .live.hub import Hub
from .manager import Manager
from .site import Site

Member = tuple[str, str] | tuple[str, str, Grant]
Auth = Member | Sequence[Member] | TaskAuthBackend | Callable[..., Any] | bool | None

logger = logging.getLogger(__name__)

_PATH = re.compile(r"(/[\w.~-]+)+")
_AUTH = "None, False, (user, password), a list of such, a TaskAuthBackend or a FastAPI dependency"
_SHORT = 16
_TEN_YEARS = 3_650 * 86_400


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
        auth: Who is answered. None: only this machine. ``(user, password)``, with what
            they may do as an optional third element, or a list of such: who signs in. A
            `TaskAuthBackend`: the same with the application's users. A FastAPI dependency:
            whom it admits, by raising ``HTTPException`` for all others. False: everyone,
            because something else protects the path.
        secret_key: Signs login sessions; None is a random one kept in the backend, where
            all processes find it.
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
        trail = Trail(task_manager.audit, task_manager.history.now)
        if secret_key is not None:
            _check_secret(secret_key)
        expiry = checks.seconds("token_expiry", token_expiry, zero=False)
        users = _users(auth)
        login = None
        if users is not None:
            settings, now = task_manager.settings, task_manager.history.now
            sessions = Sessions(settings, now, _lifetime(expiry), self.path, secret_key)
            login = Login(users, sessions, Throttle(settings, now), trail)
        if retention_days is not None:
            retention_days = checks.number("retention_days", retention_days, least=0, most=36_500)
        site = Site(
            manager=task_manager,
            title=checks.text("title", title),
            path=self.path,
            display_func_args=checks.flag("display_func_args", display_func_args),
            poll_interval=checks.number("poll_interval", poll_interval, least=1),
            trail=trail,
            hub=Hub(task_manager),
            login=login,
            retention_days=retention_days,
        )
        if site.retention_days is not None:
            task_manager.keep_history(site.retention_days)
        if site.display_func_args:
            task_manager.keep_arguments()
        if checks.flag("auto_install", auto_install):
            task_manager.install(app)
        else:
            task_manager.init_app(app)
        # Routes, pages and templates take longer to import than all the rest.
        from .mounting import mount  # noqa: PLC0415

        mount(app, site, guarded_by=auth)
        if auth is None:
            logger.warning("%s answers only this machine: set TaskAdmin(auth=...)", self.path)


def _check_secret(secret_key: object) -> None:
    if len(checks.text("secret_key", secret_key, longest=4096)) < _SHORT:
        logger.warning("secret_key has fewer than %d characters: it can be guessed", _SHORT)


def _lifetime(seconds: float) -> timedelta:
    """How long a session lasts; more than ten years is for ever, and too much for a date."""
    return timedelta(seconds=min(seconds, _TEN_YEARS))


def _checked_path(path: object) -> str:
    """The path without a slash at its end; it needs a name, or it would take every route."""
    stripped = checks.text("path", path).rstrip("/")
    if not _PATH.fullmatch(stripped):
        raise ValueError(checks.wrong("path", "a path such as '/tasks'", path))
    return stripped


def _users(auth: object) -> Users | None:
    """Who signs in with a password; None where nobody does."""
    if isinstance(auth, list | tuple):
        return listed(auth)
    if hasattr(auth, "authenticate_user"):
        if isinstance(auth, type) or not callable(auth.authenticate_user):
            raise TypeError(checks.wrong("auth", "an instance with authenticate_user()", auth))
        return ApplicationUsers(cast("TaskAuthBackend", auth))
    if auth is None or auth is False or callable(auth):
        return None
    raise TypeError(f"auth must be {_AUTH}, got {type(auth).__name__}")
