"""What every page needs of its surroundings: relative links, and who looks at it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from ..site import FRAGMENTS, current
from .assets import bundle

_PAGES = (
    ("Overview", "/dashboard/overview"),
    ("Tasks", "/dashboard"),
    ("Failures", "/dashboard/failures"),
    ("Queues", "/dashboard/queues"),
    ("Schedules", "/dashboard/schedules"),
    ("Instances", "/dashboard/instances"),
    ("Audit", "/dashboard/audit"),
)
_FOR_ADMINS = {"/dashboard/audit"}


@dataclass(frozen=True, slots=True)
class Place:
    """A page in the navigation."""

    word: str
    href: str
    current: bool


def links(request: Request) -> dict[str, object]:
    """Links from the page of a request, right under any mount and behind any proxy.

    ``poll`` is the most seconds between two refreshes, ``account`` the name of who looks,
    ``leave`` whether they can sign out; ``may`` says which buttons make sense.
    """
    site = current(request)
    api = site.up(request)
    account = "" if site.user is None else site.user.name
    here = FRAGMENTS.get(site.place(request), site.place(request))
    return {
        "api": api,
        "pages": [
            Place(word, f"{api}{place}", here == place)
            for word, place in _PAGES
            if place not in _FOR_ADMINS or site.may("admin")
        ],
        "home": f"{api}/dashboard",
        "assets": f"{api}/dashboard/assets/{bundle().digest}",
        "poll": site.poll_interval,
        "account": account,
        "leave": site.login is not None and bool(account),
        "may": {"operate": site.may("operate"), "admin": site.may("admin")},
    }
