"""The session's cookie: its name, and the path under which the browser knows the admin."""

from __future__ import annotations

import math
import re
from hashlib import sha256
from urllib.parse import quote, urlsplit

from fastapi import Request, Response

from ..site import Site, current

_PATH = re.compile(r"[\w./~%-]*", re.ASCII)


def cookie_name(request: Request, site: Site) -> str:
    """Another one for each admin of a host, and over https one that has to be secure."""
    prefix = "__Secure-" if is_secure(request) else ""
    return f"{prefix}taskflow-{sha256(site.path.encode()).hexdigest()[:8]}"


def is_secure(request: Request) -> bool:
    """Whether the request came over https, as the server sees it."""
    return request.url.scheme == "https"


def session_cookie(request: Request) -> str | None:
    """What the browser sent as its session."""
    return request.cookies.get(cookie_name(request, current(request)))


def set_session(request: Request, response: Response, cookie: str, path: str) -> None:
    """Give the browser a session, for so long as it lasts."""
    site = current(request)
    assert site.login is not None
    _set(request, response, cookie, path, math.ceil(site.login.lifetime.total_seconds()))


def drop_session(request: Request, response: Response, path: str) -> None:
    """Let the browser forget its session."""
    _set(request, response, "", path, 0)


def _set(request: Request, response: Response, cookie: str, path: str, seconds: int) -> None:
    response.set_cookie(
        cookie_name(request, current(request)),
        cookie,
        max_age=seconds,
        path=path,
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )


def public_path(request: Request) -> str:
    """The path of the admin as the browser knows it.

    The login page lets the browser tell where it is (``Referer``): a proxy may have taken
    a prefix away without saying so.
    """
    site = current(request)
    ours = quote(site.path)
    seen = _seen_by_browser(request)
    if seen.endswith(f"{ours}/auth/login"):
        path = seen.removesuffix("/auth/login")
    else:
        path = quote(request.scope.get("root_path", "").rstrip("/")) + ours
    return path if _PATH.fullmatch(path) else "/"


def _seen_by_browser(request: Request) -> str:
    try:
        referer = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    return referer.path if referer.netloc == request.headers.get("host") else ""
