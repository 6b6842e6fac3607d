"""Clients as a server would see them, and what there is to ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

OPEN = {
    ("GET", "/tasks/dashboard/assets/one/one"),
    ("GET", "/tasks/auth/login"),
    ("POST", "/tasks/auth/login"),
    ("POST", "/tasks/auth/logout"),
}
"""The routes that need no session: style and scripts, signing in and out."""


def local(
    app: FastAPI, peer: str = "testclient", host: str = "testserver", scheme: str = "http"
) -> httpx.AsyncClient:
    """A client whose requests come from *peer* and ask for *host*."""
    transport = httpx.ASGITransport(app, client=(peer, 50000))
    return httpx.AsyncClient(transport=transport, base_url=f"{scheme}://{host}")


async def sign_in(
    client: httpx.AsyncClient, username: str, password: str, back: str = ""
) -> httpx.Response:
    """Send the login's form."""
    form = {"username": username, "password": password, "next": back}
    return await client.post("/tasks/auth/login", data=form)


def every_route(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of everything the admin registered, with a name for each parameter."""
    routes = [route for each in app.routes for route in _inside(each)]
    paths = [(route, f"/tasks{route.path.removeprefix('/tasks')}") for route in routes]
    return [
        (method, re.sub(r"{[^}]*}", "one", path))
        for route, path in paths
        for method in sorted(route.methods)
    ]


def _inside(route: BaseRoute) -> Iterator[APIRoute]:
    """The routes of a router that was included; older FastAPI includes them one by one."""
    router = getattr(route, "original_router", None)
    for each in (route,) if router is None else router.routes:
        if isinstance(each, APIRoute):
            yield each
