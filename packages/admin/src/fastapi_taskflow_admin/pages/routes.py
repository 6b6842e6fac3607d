"""The pages and the fragment that keeps them fresh."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from ..api.query import ListParameters
from ..api.tasks import TaskId
from ..routing import AdminRoute
from ..site import CurrentSite, Site
from .context import Address, Board, board, row
from .links import links
from .templating import render


class PageRoute(AdminRoute):
    """A route that says in HTML what went wrong."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The admin's handler, with errors as pages."""
        handle = super().get_route_handler()

        async def explained(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                page = _error_page(request, error.status_code, error.detail)
                return HTMLResponse(page, error.status_code, error.headers)
            except RequestValidationError as error:
                return HTMLResponse(_error_page(request, 422, _reasons(error)), 422)

        return explained


def _error_page(request: Request, code: int, reason: str) -> str:
    return render(
        "error.html",
        base=links(request),
        title="Task admin",
        heading=_HEADINGS.get(code, "Something went wrong"),
        code=code,
        reason=reason,
    )


def _reasons(error: RequestValidationError) -> str:
    return "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())


def unless_known(request: Request, html: str) -> Response:
    """The page; 304 for whoever has it already."""
    tag = f'"{sha256(html.encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return HTMLResponse(html, headers={"ETag": tag})


_HEADINGS = {
    303: "Sign in first",
    401: "Signed out",
    403: "Not open to you",
    404: "No such task",
    422: "This filter cannot be read",
    503: "The task storage does not answer",
}

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Parameters = Annotated[ListParameters, Query()]


@router.get("/dashboard")
async def tasks_page(request: Request, site: CurrentSite, parameters: Parameters) -> HTMLResponse:
    """The list of tasks."""
    shown = await _board(request, site, parameters)
    page = render(
        "tasks.html",
        base=links(request),
        title=site.title,
        board=shown,
    )
    return HTMLResponse(page)


@router.get("/dashboard/rows")
async def tasks_fragment(request: Request, site: CurrentSite, parameters: Parameters) -> Response:
    """What changes on the list of tasks; 304 when nothing has."""
    shown = await _board(request, site, parameters)
    return unless_known(request, render("_board.html", base=links(request), board=shown))


@router.get("/dashboard/tasks/{task_id}")
async def task_page(request: Request, task_id: TaskId, site: CurrentSite) -> HTMLResponse:
    """One task."""
    history = site.manager.history
    task = await history.get(task_id)
    page = render(
        "task.html",
        base=links(request),
        title=site.title,
        row=row(task, history.now()),
        arguments=site.arguments(task),
    )
    return HTMLResponse(page)


async def _board(request: Request, site: Site, parameters: ListParameters) -> Board:
    history = site.manager.history
    now = history.now()
    page = await history.query(parameters.page(now))
    address = Address(request.query_params.multi_items())
    return board(address, page, await history.metrics(), site.manager.health(), now)
