"""Where a server is, and who we are there. Nothing here shows a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from redis.asyncio.connection import parse_url

_SCHEMES = frozenset({"redis", "rediss", "unix"})
_EXPECTED = (
    "the URL of a Redis server must be like 'redis://user:password@host:6379/0', or 'rediss://'"
    " for TLS, with options that redis-py knows, and with characters such as @ : / ? # % written"
    " as %40 and so on in user and password"
)


@dataclass(frozen=True, slots=True)
class Address:
    """The place of a database; as text, a URL without password and options."""

    name: str
    options: Mapping[str, Any] = field(repr=False)
    """What redis-py is told."""

    @classmethod
    def parse(cls, place: str | Address, options: Mapping[str, Any]) -> Address:
        """Read ``redis://user:password@host:6379/0?option=value``; *options* come on top.

        Raises:
            ValueError: it is no such URL.
        """
        if isinstance(place, Address):
            return place
        # Nothing is quoted of what was not understood, as it may be a part of the password.
        try:
            name = _name(place)
            given = parse_url(place)
        except (AttributeError, TypeError, ValueError):
            raise ValueError(_EXPECTED) from None
        return cls(name, {**given, **options})

    def __str__(self) -> str:
        return self.name


def _name(url: str) -> str:
    parts = urlsplit(url)
    port = "" if parts.port is None else f":{parts.port}"
    path = parts.path.rstrip("/")
    local = parts.scheme == "unix"
    if parts.scheme not in _SCHEMES or (local and not path):
        raise ValueError(_EXPECTED)
    if not local and path and not path.removeprefix("/").isdecimal():
        raise ValueError(_EXPECTED)
    # A password with a bare character seems to go on where it should not.
    if parts.fragment or "@" in parts.path or "@" in parts.query:
        raise ValueError(_EXPECTED)
    user = f"{quote(unquote(parts.username))}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{path}"
