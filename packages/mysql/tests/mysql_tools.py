"""What several test files do to a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pymysql
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fastapi_taskflow_mysql.address import Address
from fastapi_taskflow_testkit.servers import MySQLRecipe, PrivateServer, missing, mysql_program


def connect(url: str) -> pymysql.Connection:
    """A connection of the test's own."""
    return pymysql.connect(**Address.parse(url).options, charset="utf8mb4", autocommit=True)


def run(url: str, *statements: str) -> list[tuple]:
    """Run the statements; what the last one answers."""
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def at(url: str, database: str) -> str:
    """The URL of another database of the server."""
    return f"{url.rpartition('/')[0]}/{database}"


@contextmanager
def database_of(url: str, name: str) -> Iterator[str]:
    """A database of the server, for a while."""
    run(url, f"CREATE DATABASE {name}")
    try:
        yield at(url, name)
    finally:
        run(url, f"DROP DATABASE {name}")


@contextmanager
def private_server(**settings: str | int) -> Iterator[PrivateServer]:
    """A server of the test's own."""
    if which(mysql_program()) is None:
        missing("mysql", "install mariadb-server")
    # Not below pytest's own folder, where the server's user has no way in.
    with (
        TemporaryDirectory(prefix="taskflow-mysql-") as folder,
        PrivateServer(MySQLRecipe(**settings), Path(folder)) as server,
    ):
        yield server


class Certificate(NamedTuple):
    """The files of a certificate and of its key."""

    cert: Path
    key: Path


@contextmanager
def certificate() -> Iterator[Certificate]:
    """A certificate for localhost that nobody but itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    with TemporaryDirectory(prefix="taskflow-mysql-") as name_of_folder:
        folder = Path(name_of_folder)
        folder.chmod(0o755)  # the server has a user of its own
        files = Certificate(folder / "cert.pem", folder / "key.pem")
        files.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        yield files
