"""Closed by default: who is answered at all, and whose changes are taken."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from fastapi import HTTPException, Request

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")

CLOSED = (
    "The task admin answers only its own machine until it is told who may see it:"
    " pass TaskAdmin(auth=...) a (user, password) or a FastAPI dependency that admits your"
    " users, or auth=False if something else protects this path."
)


async def same_machine(request: Request) -> None:
    """Refuse every client that is not on this machine.

    The ``Host`` has to be local too, so that no foreign name can be bound to us, and a
    forwarded request is a remote one wherever its last hop began.
    """
    peer = client_address(request)
    host = host_name(request.headers.get("host", ""))
    test_client = (peer, host) == ("testclient", "testserver")
    direct = not any(name in request.headers for name in FORWARDED)
    if not (direct and (test_client or (loopback(peer) and loopback(host)))):
        raise HTTPException(403, CLOSED)


def client_address(request: Request) -> str:
    """Where a request comes from, as far as the server knows."""
    return request.client.host if request.client else ""


async def same_site(request: Request) -> None:
    """Refuse a change that a page of another site asked for."""
    if request.method not in SAFE_METHODS and not own_request(request.headers):
        raise HTTPException(403, "cross_site_request")


def own_request(headers: Mapping[str, str]) -> bool:
    """Whether a change comes from our own pages, from the user, or from no browser."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


def loopback(name: str) -> bool:
    """Whether a host name or address is this machine."""
    if name == "localhost":
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)


def host_name(host: str) -> str:
    """The name in a ``Host`` header, without port and brackets, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
