"""Where a server is, and who we are there. Nothing here shows a password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2.extensions import parse_dsn

_DEFAULTS = {
    "fallback_application_name": "fastapi-taskflow",
    "client_encoding": "UTF8",
    # Connections that rest must notice too that the server is gone.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
_PER_HOST = ("host", "hostaddr", "port")


@dataclass(frozen=True, slots=True)
class Address:
    """The place of a database; as text, an URL without password and options."""

    name: str
    options: Mapping[str, Any] = field(repr=False)
    """What libpq is told: those of the URL, and how soon a dead connection is noticed."""

    @classmethod
    def parse(cls, place: str | Address) -> Address:
        """Read ``postgresql://user:password@host:5432/database?option=value``.

        Raises:
            ValueError: libpq does not understand it.
        """
        if isinstance(place, Address):
            return place
        try:
            given: dict[str, str] = parse_dsn(place)
        except (psycopg2.Error, TypeError):
            given = {}
        # Nothing is quoted of what was not understood, as it may be a part of the password.
        if not given or _torn(given):
            raise ValueError(
                "the URL of a PostgreSQL database must be like"
                " 'postgresql://user:password@host:5432/database?sslmode=require', with options"
                " that libpq knows, and with characters such as @ : / ? # % written as %40 and"
                " so on in user and password"
            )
        return cls(_name(given), {**_DEFAULTS, **given})

    def each_host(self) -> list[Address]:
        """An address for each of the hosts, in their order."""
        listed = {name: self.options[name].split(",") for name in _PER_HOST if name in self.options}
        return [
            Address(self.name, {**self.options, **_of_host(number, listed)})
            for number in range(max(map(len, listed.values()), default=1))
        ]

    def __str__(self) -> str:
        return self.name


def _of_host(number: int, listed: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The options of one host; what is listed once holds for all."""
    return {name: values[number % len(values)] for name, values in listed.items()}


def _torn(options: Mapping[str, str]) -> bool:
    """Whether a password with a bare ``@`` or ``/`` seems to go on where it should not."""
    host, database = options.get("host", ""), options.get("dbname", "")
    port = options.get("port", "").replace(",", "")
    torn_port = port != "" and not port.isdecimal()
    return torn_port or "@" in host[1:] or "@" in database or "/" in database


def _name(options: Mapping[str, str]) -> str:
    user = f"{options['user']}@" if "user" in options else ""
    port = f":{options['port']}" if "port" in options else ""
    host = options.get("host", options.get("hostaddr", ""))
    return f"postgresql://{user}{host}{port}/{options.get('dbname', '')}"
