"""One mounted admin: what its routes need to answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated

from fastapi import Depends, Request

from fastapi_taskflow_core.records import TaskRecord

from .auth.login import Login
from .auth.permissions import Permission, TaskUser
from .auth.trail import Trail
from .live.hub import Hub
from .manager import Manager
from .shared import Shared, Tagged

FRAGMENTS = {"/dashboard/rows": "/dashboard/tasks", "/dashboard/stream": "/dashboard"}
"""What scripts read, and the page that it becomes a part of."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A task manager and how it is shown, to everyone or to one visitor."""

    manager: Manager
    title: str
    path: str
    display_func_args: bool
    poll_interval: float
    trail: Trail
    hub: Hub
    shared: Shared[Tagged] = field(default_factory=Shared)
    """Parts of pages that were just made."""
    login: Login | None = None
    """With ``auth`` by password; None without."""
    retention_days: float | None = None
    """Days after which finished tasks are removed; None where they are kept."""
    user: TaskUser | None = None
    """Who asks; None before that is known."""
    seen: str = ""
    """The latest frame when they asked, which what they are shown is no older than."""

    def visited_by(self, user: TaskUser) -> Site:
        """The site as it is for this user."""
        return replace(self, user=user, seen=self.hub.last_id if self.hub.listening else "")

    def may(self, permission: Permission) -> bool:
        """Whether who asks has the permission."""
        return self.user is not None and self.user.may(permission)

    def arguments(self, record: TaskRecord) -> dict[str, str] | None:
        """The task's arguments for display, None where they are not to be shown."""
        if not (self.display_func_args and self.may("admin")):
            return None
        shown = self.manager.arguments(record)
        return None if shown is None else dict(shown)

    def place(self, request: Request) -> str:
        """The path of a request below the admin's own, such as ``/dashboard``."""
        path: str = request.scope["path"]
        root: str = request.scope.get("root_path", "").rstrip("/")
        inside = path[len(root) :] if path.startswith(f"{root}/") else path
        return inside.removeprefix(self.path)

    def up(self, request: Request) -> str:
        """A relative link from the page of a request, or of its fragment, to the admin's path.

        Right under any mount and behind any proxy: ``.`` or ``../..``.
        """
        place = self.place(request)
        below = FRAGMENTS.get(place, place).count("/") - 1
        return "/".join([".."] * below) or "."

    async def enter(self, request: Request) -> None:
        """Be the site of this request: the first dependency of every route."""
        enter(request, self)


def enter(request: Request, site: Site) -> Site:
    """Let it be the site of this request, and return it."""
    request.state.taskflow_site = site
    return site


def current(request: Request) -> Site:
    """The site whose route is being answered."""
    site: Site = request.state.taskflow_site
    return site


def entered(request: Request) -> Site | None:
    """The same; None for a request that failed before anybody asked who it is from."""
    return getattr(request.state, "taskflow_site", None)


async def _depended_on(request: Request) -> Site:
    # FastAPI would call a plain function in a thread, of which the application may have none left.
    return current(request)


CurrentSite = Annotated[Site, Depends(_depended_on)]
