"""MySQL and MariaDB: where one usually is, and how a private one is made."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from shutil import chown, which
from urllib.parse import unquote, urlsplit

from .moulds import cast

MYSQL_STANDARD = "mysql://root@127.0.0.1:3306/mysql"
"""Where a server is whose administrator needs no password."""
_USER = "mysql"


class MySQLRecipe:
    """A MariaDB server whose administrator, ``root``, needs no password.

    Args:
        settings: Further options of the server, with ``_`` for ``-``.
    """

    def __init__(self, **settings: str | int) -> None:
        self.user: str | None = _USER
        self.stopped_by = signal.SIGTERM
        self._settings = settings

    def prepare(self, folder: Path) -> None:
        """Make the system tables in the folder."""
        cast(_new_tables, folder)

    def command(self, folder: Path, port: int) -> Sequence[str]:
        """The server in the foreground."""
        settings = {
            "datadir": folder / "data",
            "port": port,
            "socket": folder / "socket",
            # A server that starts removes what other servers keep in theirs.
            "tmpdir": folder / "data",
            "bind_address": "127.0.0.1",
            "innodb_buffer_pool_size": "32M",
            **self._settings,
        }
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        return [mysql_program(), "--no-defaults", *options]

    def url(self, port: int) -> str:
        """Its address."""
        return f"mysql://root@127.0.0.1:{port}/mysql"

    def answers(self, port: int) -> bool:
        """Whether it takes connections."""
        return mysql_answers(self.url(port))


def _new_tables(folder: Path) -> None:
    if os.geteuid() == 0:
        chown(folder, _USER)
    subprocess.run(  # noqa: S603  our own words
        [
            which("mariadb-install-db") or "mariadb-install-db",
            *("--no-defaults", f"--datadir={folder / 'data'}", f"--tmpdir={folder}"),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        ],
        user=_USER if os.geteuid() == 0 else None,
        check=True,
        capture_output=True,
    )


def mysql_answers(url: str) -> bool:
    """Whether a server can be used there. Needs PyMySQL."""
    import pymysql  # noqa: PLC0415  only those who test with this server have it

    parts = urlsplit(url)
    try:
        pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            connect_timeout=3,
        ).close()
    except pymysql.Error:
        return False
    return True


def mysql_program() -> str:
    """The path of the server's program; only its name if it is not installed."""
    return which("mariadbd") or which("mariadbd", path="/usr/sbin") or "mariadbd"
