"""The login page, and signing out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from fastapi_taskflow_core.errors import BackendUnavailable

from ..auth.cookies import drop_session, public_path, session_cookie, set_session
from ..auth.guard import client_address, same_site
from ..auth.login import Refusal
from ..site import CurrentSite
from .links import links
from .routes import PageRoute
from .templating import render

LONGEST_FORM = 16 * 1024
FORM = "application/x-www-form-urlencoded"

# The address of the page tells us, and nobody else, under which path the browser knows us.
TELLS_US = {"Referrer-Policy": "same-origin"}

_BACK = re.compile(r"dashboard(/[^/\\?#\s]+)*(\?[^\\#\s]*)?")

router = APIRouter(
    prefix="/auth",
    route_class=PageRoute,
    include_in_schema=False,
    dependencies=[Depends(same_site)],
)

Back = Annotated[str, Query(alias="next", max_length=4_096)]


@dataclass(frozen=True, slots=True)
class Form:
    """What the login page sends."""

    username: str
    password: str
    back: str


@router.get("/login")
async def login_page(request: Request, back: Back = "") -> HTMLResponse:
    """The form."""
    return _page(request, Form("", "", back))


@router.post("/login")
async def log_in(request: Request, site: CurrentSite) -> Response:
    """Sign in and lead on to where one wanted to go."""
    assert site.login is not None
    form, path = await _form(request), public_path(request)
    # Nobody keeps a session that was there before: not this browser, and not who planted it.
    earlier = await site.login.session(session_cookie(request))
    answer = await site.login.sign_in(form.username, form.password, client_address(request), path)
    if isinstance(answer, Refusal):
        return _page(request, form, answer)
    if earlier is not None:
        await site.login.sessions.end(earlier)
    response = RedirectResponse(f"../{within(form.back)}", 303)
    set_session(request, response, answer, path)
    return response


@router.post("/logout")
async def log_out(request: Request, site: CurrentSite) -> Response:
    """End the session, everywhere; without one there is nothing to do."""
    assert site.login is not None
    response = RedirectResponse("login", 303)
    session = await site.login.session(session_cookie(request))
    if session is None:
        return response
    drop_session(request, response, session.path)
    try:
        await site.login.sign_out(session, client_address(request))
    except BackendUnavailable as error:
        raise HTTPException(
            503,
            f"This browser is signed out, but other processes may not know yet: {error}",
            headers={"Set-Cookie": response.headers["Set-Cookie"]},
        ) from error
    return response


def within(back: str) -> str:
    """Where to go after the login: a page of the dashboard, whatever was asked for."""
    found = _BACK.fullmatch(back)
    safe = found is not None and "/../" not in f"{back.partition('?')[0]}/"
    return back if safe else "dashboard"


def _page(request: Request, form: Form, refusal: Refusal | None = None) -> HTMLResponse:
    status, headers, error = 200, dict(TELLS_US), ""
    if refusal is not None and refusal.wait:
        status, error = 429, f"Too many attempts. Try again in {_words(refusal.wait)}."
        headers["Retry-After"] = str(refusal.wait)
    elif refusal is not None:
        status, error = 401, "The name or the password is wrong."
    html = render(
        "login.html",
        base=links(request),
        title="Task admin",
        username=form.username,
        back=within(form.back),
        error=error,
    )
    return HTMLResponse(html, status, headers)


def _words(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"


async def _form(request: Request) -> Form:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise HTTPException(415, f"the login must be sent as {FORM}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise HTTPException(413, "this is too long for a name and a password")
    try:
        fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=10)
    except ValueError as error:
        raise HTTPException(400, "the form has too many fields") from error
    told = (fields.get(name, [""])[-1] for name in ("username", "password", "next"))
    return Form(*told)
