"""One dependency for every route: who asks, from where, and whether they may."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlencode

from fastapi import Depends, HTTPException, Request

from fastapi_taskflow_core.errors import BackendUnavailable

from ..site import FRAGMENTS, Site, current, enter
from .cookies import session_cookie
from .guard import SAFE_METHODS, same_machine, same_site
from .permissions import TaskUser
from .rules import rule_for

Who = Callable[..., object]
"""A FastAPI dependency that tells who asks, or raises ``HTTPException``."""


async def anyone() -> None:
    """Everybody: something else protects the path."""


async def signed_in(request: Request) -> TaskUser:
    """Whoever has a session; others are sent to the login, scripts get a 401."""
    site = current(request)
    assert site.login is not None
    user = await site.login.user(session_cookie(request))
    if user is not None:
        return user
    if _is_page(request, site):
        raise HTTPException(
            303,
            "This page is for people with a password.",
            headers={"Location": _login_for(request, site)},
        )
    raise HTTPException(401, "sign in first: there is no session, or it is over")


def who_asks(auth: object, site: Site) -> Who:
    """The dependency for what ``TaskAdmin(auth=...)`` says."""
    if site.login is not None:
        return signed_in
    if callable(auth):
        return auth
    return same_machine if auth is None else anyone


def admitted(who: Who) -> Callable[..., object]:
    """The dependency of all routes; from then on the site knows its user."""

    async def admit(request: Request, answer: object = Depends(who)) -> None:
        await same_site(request)
        user = _named(answer)
        site = enter(request, current(request).visited_by(user))
        function = getattr(request.scope["endpoint"], "__name__", "")
        needed = rule_for(function, request.method).permission
        if not user.may(needed):
            raise HTTPException(403, f"{user.name or 'you'} may not do this: it needs {needed!r}")
        if request.method not in SAFE_METHODS:
            await site.trail.ready()

    return admit


async def still_admitted(request: Request) -> bool:
    """Whether who asked once may still look on; for a stream, to ask every minute."""
    site = current(request)
    if site.login is None:
        return True
    try:
        user = await site.login.user(session_cookie(request))
    except BackendUnavailable:
        return True  # asked again in a minute
    return user is not None and user.may("view")


def visitor(request: Request) -> str:
    """Tells those who look on apart: a session, or a name; empty where there is neither."""
    site = current(request)
    name = "" if site.user is None else site.user.name
    return name if site.login is None else session_cookie(request) or name


def _named(answer: object) -> TaskUser:
    """Who a dependency let in: it may say so by a `TaskUser` or a name."""
    if isinstance(answer, TaskUser):
        return answer
    return TaskUser(answer if isinstance(answer, str) else "")


def _is_page(request: Request, site: Site) -> bool:
    place = site.place(request)
    if request.method != "GET" or not f"{place}/".startswith("/dashboard/"):
        return False
    wanted = request.headers.get("sec-fetch-dest")
    # Scripts would take the login for what they asked for.
    return place not in FRAGMENTS if wanted is None else wanted == "document"


def _login_for(request: Request, site: Site) -> str:
    """A relative link to the login, which leads back to here."""
    place = site.place(request)
    back = quote(place.removeprefix("/"))
    if request.url.query:
        back += f"?{request.url.query}"
    return f"{site.up(request)}/auth/login?{urlencode({'next': back})}"
