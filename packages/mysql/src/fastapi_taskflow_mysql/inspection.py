"""What is looked at when a database is opened, beyond its schema's version."""

from __future__ import annotations

import logging
from functools import cache

from fastapi_taskflow_sql import Connection, Statements

logger = logging.getLogger(__name__)

_COMMIT = "SELECT @@innodb_flush_log_at_trx_commit"


def refuse_without_rights(sql: Statements, connection: Connection) -> None:
    """Make sure that the tables may be changed: the server refuses this if not."""
    table = f"{sql.prefix}settings"
    connection.execute(f"INSERT INTO {table} (name, value, version) VALUES ('', '', 0)")  # noqa: S608  our own
    connection.execute(f"UPDATE {table} SET version = 1 WHERE name = ''")  # noqa: S608
    connection.execute(f"DELETE FROM {table} WHERE name = ''")  # noqa: S608


def warn_if_not_durable(connection: Connection, where: str) -> None:
    """Say once for each database that its commits may be lost."""
    if connection.fetch(_COMMIT)[0][0] != 1:
        _warn(where)


@cache
def _warn(where: str) -> None:
    logger.warning(
        "%s commits with innodb_flush_log_at_trx_commit other than 1: if the server crashes,"
        " tasks that were accepted in the last moments before are lost",
        where,
    )
