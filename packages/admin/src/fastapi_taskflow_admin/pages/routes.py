"""The pages and the fragment that keeps them fresh."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from ..api.query import ListParameters
from ..routing import AdminRoute
from ..shared import Tagged
from ..site import FRAGMENTS, CurrentSite, Site, current
from . import formats
from .context import COLUMNS, Address, Board, board, columns_of
from .links import PART, links
from .templating import render

NOWHERE = "The dashboard has no page at this address."


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
    site = current(request)
    lost = reason == NOWHERE
    return render(
        "error.html",
        base=links(request),
        title="Task admin" if site.user is None else site.title,
        heading="No such page" if lost else _HEADINGS.get(code, "Something went wrong"),
        code=code,
        reason=reason,
        hint="" if lost else _hint(site, code),
    )


def _hint(site: Site, code: int) -> str:
    """What else helps whoever sees the error."""
    if code == 404:
        days = site.retention_days
        return (
            "Tasks are kept until somebody clears the history."
            if days is None
            else f"Finished tasks are removed after {formats.duration(days * 86_400)}."
        )
    if code == 403 and site.user is not None and site.user.name:
        return f"You are signed in as {site.user.name}."
    return ""


def _reasons(error: RequestValidationError) -> str:
    return "; ".join(
        f"{_name(each['loc'])}: {each['msg'].removeprefix('Value error, ')}"
        for each in error.errors()
    )


def _name(place: Sequence[int | str]) -> str:
    """Of what was given; the place of a value in a list is no name."""
    return str([part for part in place if isinstance(part, str)][-1])


def unless_known(request: Request, html: str) -> Response:
    """The page; 304 for whoever has it already."""
    return _unless_had(request, Tagged.of(html))


def _unless_had(request: Request, page: Tagged) -> Response:
    if request.headers.get("if-none-match") == page.tag:
        return Response(status_code=304, headers={"ETag": page.tag})
    return HTMLResponse(page.html, headers={"ETag": page.tag})


async def unless_shared(
    request: Request, site: Site, make: Callable[[], Awaitable[str]]
) -> Response:
    """The page that *make* makes. Of all who refresh the same one it is made for the first."""
    if PART not in request.headers and site.place(request) not in FRAGMENTS:
        return unless_known(request, await make())

    async def tagged() -> Tagged:
        return Tagged.of(await make())

    user = site.user
    seen_by = None if user is None else (user.name, user.permissions)
    # Whoever was told to refresh by a frame gets nothing that is older than that frame.
    columns = request.headers.get(COLUMNS_WANTED, "")
    key = (site.place(request), request.url.query, columns, seen_by, site.hub.seq)
    return _unless_had(request, await site.shared.get(key, tagged))


_HEADINGS = {
    303: "Sign in first",
    401: "Signed out",
    403: "Not open to you",
    404: "No such task",
    422: "This filter cannot be read",
    503: "The task storage does not answer",
}

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Parameters = Annotated[ListParameters, Parameter()]

COLUMNS_WANTED = "taskflow-columns"
"""The header that names the columns somebody wants beyond the usual ones."""


@router.get("/dashboard/tasks")
async def tasks_page(request: Request, site: CurrentSite, parameters: Parameters) -> HTMLResponse:
    """The list of tasks."""
    shown = await _board(request, site, parameters)
    page = render(
        "tasks.html",
        base=links(request),
        title=site.title,
        board=shown,
        columns=COLUMNS,
        queues=site.manager.queue_stats(),
    )
    return HTMLResponse(page)


@router.get("/dashboard/rows")
async def tasks_fragment(request: Request, site: CurrentSite) -> Response:
    """What changes on the list of tasks; 304 when nothing has."""

    async def made() -> str:
        # Read here, once for all who are given the same: reading is most of what a 304 would cost.
        shown = await _board(request, site, _read(request.query_params))
        return render("_board.html", base=links(request), board=shown)

    return await unless_shared(request, site, made)


def _read(query: QueryParams) -> ListParameters:
    given = {**query, "status": query.getlist("status")}
    try:
        return ListParameters.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


async def _board(request: Request, site: Site, parameters: ListParameters) -> Board:
    history = site.manager.history
    now = history.now()
    page = await history.query(parameters.page(now))
    address = Address(request.query_params.multi_items())
    columns = columns_of(request.headers.get(COLUMNS_WANTED, ""))
    return board(address, page, await history.counts(), now, columns)
