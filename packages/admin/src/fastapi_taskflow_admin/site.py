"""One mounted admin: what its routes need to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from fastapi_taskflow_core.records import TaskRecord

from .manager import Manager


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A task manager and how it is shown."""

    manager: Manager
    title: str
    display_func_args: bool
    poll_interval: float

    def arguments(self, record: TaskRecord) -> dict[str, str] | None:
        """The task's arguments for display, None where they are not to be shown."""
        shown = self.manager.arguments(record) if self.display_func_args else None
        return None if shown is None else dict(shown)

    async def enter(self, request: Request) -> None:
        """Be the site of this request: the first dependency of every route."""
        request.state.taskflow_site = self


def current(request: Request) -> Site:
    """The site whose route is being answered."""
    site: Site = request.state.taskflow_site
    return site


CurrentSite = Annotated[Site, Depends(current)]
