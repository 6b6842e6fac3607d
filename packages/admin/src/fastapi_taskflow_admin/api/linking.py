"""Links from one page of a list to another, in the `Link` header."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request


def link(request: Request, relation: str, **parameters: str) -> str:
    """The same question with other parameters, as the client has to ask it.

    A prefix that a proxy has taken away is put back where the server was told of it.
    """
    path: str = request.scope["path"]
    root: str = request.scope.get("root_path", "").rstrip("/")
    public = path if path.startswith(f"{root}/") else root + path
    url = request.url.replace(path=quote(public)).include_query_params(**parameters)
    return f'<{url}>; rel="{relation}"'
