"""Clients as a server would see them."""

from __future__ import annotations

import httpx
from fastapi import FastAPI


def local(app: FastAPI, peer: str = "testclient", host: str = "testserver") -> httpx.AsyncClient:
    """A client whose requests come from *peer* and ask for *host*."""
    transport = httpx.ASGITransport(app, client=(peer, 50000))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")
