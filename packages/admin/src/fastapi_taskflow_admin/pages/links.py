"""What every page needs of its surroundings: relative links, and who looks at it."""

from __future__ import annotations

from fastapi import Request

from ..site import current
from .assets import bundle


def links(request: Request) -> dict[str, object]:
    """Links from the page of a request, right under any mount and behind any proxy.

    ``account`` is the name of who looks, ``leave`` whether they can sign out; ``may`` says
    which buttons make sense.
    """
    site = current(request)
    api = site.up(request)
    account = "" if site.user is None else site.user.name
    return {
        "api": api,
        "home": f"{api}/dashboard",
        "assets": f"{api}/dashboard/assets/{bundle().digest}",
        "account": account,
        "leave": site.login is not None and bool(account),
        "may": {"operate": site.may("operate"), "admin": site.may("admin")},
    }
