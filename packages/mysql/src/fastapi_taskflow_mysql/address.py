"""Where a server is, and who we are there. Nothing here shows a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_SCHEMES = ("mysql", "mariadb")
_FLAGS = ("ssl_disabled", "ssl_verify_cert", "ssl_verify_identity")
FILES = ("ssl_ca", "ssl_cert", "ssl_key")
"""Options that name files."""
_TEXTS = (*FILES, "ssl_key_password", "unix_socket", "bind_address")
_TRUTH = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Address:
    """The place of a database; as text, an URL without password and options."""

    name: str
    options: Mapping[str, Any] = field(repr=False)
    """What PyMySQL is told."""

    @classmethod
    def parse(cls, place: str | Address) -> Address:
        """Read ``mysql://user:password@host:3306/database?option=value``.

        Raises:
            ValueError: it is not such a URL, or has an option that is not known or makes no
                sense.
        """
        if isinstance(place, Address):
            return place
        try:
            parts = urlsplit(place)
            host, port = parts.hostname, parts.port
            database = unquote(parts.path.removeprefix("/"))
        except (ValueError, AttributeError):
            raise _misread() from None
        if parts.scheme not in _SCHEMES or not host or not database or "/" in database:
            raise _misread()
        options = {
            "host": host,
            "port": port or 3306,
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "database": database,
            **_with_tls(
                dict(_option(*pair) for pair in parse_qsl(parts.query, keep_blank_values=True))
            ),
        }
        user = f"{options['user']}@" if options["user"] else ""
        place = host if port is None else f"{host}:{port}"
        return cls(f"mysql://{user}{place}/{database}", options)

    def __str__(self) -> str:
        return self.name


def _misread() -> ValueError:
    # Nothing is quoted of what was not understood, as it may be a part of the password.
    return ValueError(
        "the URL of a MySQL database must be like 'mysql://user:password@host:3306/database',"
        " with characters such as @ : / ? # % written as %40 and so on in user and password"
    )


def _option(name: str, value: str) -> tuple[str, object]:
    if name in _TEXTS:
        return name, value
    if name in _FLAGS and value.lower() in _TRUTH:
        return name, _TRUTH[value.lower()]
    if name in _FLAGS:
        raise ValueError(f"the option {name} of a MySQL URL must be true or false")
    known = ", ".join(sorted((*_TEXTS, *_FLAGS)))
    raise ValueError(f"{name!r} is no option of a MySQL URL: those are {known}")


def _with_tls(options: dict[str, object]) -> dict[str, object]:
    """The options, so that PyMySQL checks what whoever wrote them would think is checked."""
    if "ssl_ca" in options:
        return {"ssl_verify_cert": True, **options}  # by itself it does not ask the authority
    if options.get("ssl_verify_identity"):  # by itself it does not look at the name of the host
        raise ValueError(
            "the option ssl_verify_identity of a MySQL URL needs ssl_ca, the file of the"
            " authorities that are trusted"
        )
    return options
