"""PostgreSQL: where one usually is, and how a private one is made."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from shutil import chown, which

from .moulds import cast

POSTGRES_STANDARD = "postgresql://postgres@127.0.0.1:5432/postgres"
"""Where a server is that trusts whoever comes from its own host."""
_USER = "postgres"
_SOME_SECONDS = "connect_timeout=3"


class PostgresRecipe:
    """A server that trusts its own host, its user being ``postgres``.

    Args:
        access: Who may come in instead, as it stands in ``pg_hba.conf``.
        settings: Further settings, as they stand in ``postgresql.conf``.
    """

    def __init__(self, access: str | None = None, **settings: str | int) -> None:
        self.user: str | None = _USER
        self.stopped_by = signal.SIGINT
        self._access = access
        self._settings = settings

    def prepare(self, folder: Path) -> None:
        """Make a database cluster in the folder."""
        cast(_new_cluster, folder)
        if self._access is not None:
            (folder / "data" / "pg_hba.conf").write_text(self._access)

    def command(self, folder: Path, port: int) -> Sequence[str]:
        """The server in the foreground."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "shared_buffers": "16MB",
            **self._settings,
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [postgres_program("postgres"), "-D", str(folder / "data"), *words]

    def url(self, port: int) -> str:
        """Its address."""
        return f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def answers(self, port: int) -> bool:
        """Whether it takes connections."""
        return postgres_answers(self.url(port))


def _new_cluster(folder: Path) -> None:
    if os.geteuid() == 0:
        chown(folder, _USER)
    subprocess.run(  # noqa: S603  our own words
        [
            postgres_program("initdb"),
            *("--pgdata", folder / "data", "--username", _USER),
            *("--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"),
        ],
        user=_USER if os.geteuid() == 0 else None,
        check=True,
        capture_output=True,
    )


def postgres_answers(url: str) -> bool:
    """Whether a server can be used there. Needs psycopg2."""
    import psycopg2  # noqa: PLC0415  only those who test with this server have it

    separator = "&" if "?" in url else "?"
    try:
        psycopg2.connect(f"{url}{separator}{_SOME_SECONDS}").close()
    except psycopg2.OperationalError:
        return False
    return True


def postgres_program(name: str) -> str:
    """The path of a program of the server; only its name if it is not installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return which(name) or (str(installed[-1]) if installed else name)
