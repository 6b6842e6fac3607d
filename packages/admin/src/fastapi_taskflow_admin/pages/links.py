"""What every page needs of its surroundings: relative links, and who looks at it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from ..site import FRAGMENTS, current
from .assets import bundle
from .context import trouble

PART = "taskflow-part"
"""The header of a request for what changes on a page."""

HOME = "/dashboard"
_PAGES = (
    ("Overview", HOME),
    ("Tasks", "/dashboard/tasks"),
    ("Failures", "/dashboard/failures"),
    ("Functions", "/dashboard/functions"),
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
    current: str
    """``page`` where one is, ``true`` on a page below it, else empty."""


def _current(here: str, place: str) -> str:
    if here == place:
        return "page"
    return "true" if place != HOME and here.startswith(f"{place}/") else ""


def links(request: Request) -> dict[str, object]:
    """Links from the page of a request, right under any mount and behind any proxy.

    ``seen`` is where the page's stream goes on, empty on a refresh, which is not to differ by it;
    ``poll`` is the most seconds between two refreshes, ``account`` the name of who looks,
    ``leave`` whether they can sign out; ``trouble`` is what is wrong with the storage, and ``may``
    says which buttons make sense.
    """
    site = current(request)
    api = site.up(request)
    account = "" if site.user is None else site.user.name
    here = FRAGMENTS.get(site.place(request), site.place(request))
    return {
        "api": api,
        "pages": [
            Place(word, f"{api}{place}", _current(here, place))
            for word, place in _PAGES
            if site.may("admin" if place in _FOR_ADMINS else "view")
        ],
        "home": f"{api}{HOME}",
        "list": f"{api}/dashboard/tasks",
        "assets": f"{api}/dashboard/assets/{bundle().digest}",
        "seen": "" if PART in request.headers else site.seen,
        "poll": site.poll_interval,
        "account": account,
        "leave": site.login is not None and bool(account),
        "trouble": trouble(site.manager.health()),
        "may": {"operate": site.may("operate"), "admin": site.may("admin")},
    }
