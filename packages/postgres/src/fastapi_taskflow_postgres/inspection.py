"""What is looked at when a database is opened, beyond its schema's version."""

from __future__ import annotations

import logging
from functools import cache

from fastapi_taskflow_core.errors import BackendMisconfigured
from fastapi_taskflow_sql import Connection, Statements
from fastapi_taskflow_sql.schema import TABLES

logger = logging.getLogger(__name__)

_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
_BARRED = """
SELECT name FROM (VALUES {names}) AS tables (name) WHERE NOT (
    has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT')
    AND has_table_privilege(name, 'UPDATE') AND has_table_privilege(name, 'DELETE'))
"""
_COMMIT = "SELECT current_setting('synchronous_commit')"


def refuse_without_rights(sql: Statements, connection: Connection, where: str) -> None:
    """Make sure that the tables may be used.

    Raises:
        BackendMisconfigured: a right is missing.
    """
    tables = [sql.prefix + table.name for table in TABLES]
    names = ", ".join(["(%s)"] * len(tables))
    barred = connection.fetch(_BARRED.format(names=names), tables)
    if barred:
        raise BackendMisconfigured(
            f"{where}: permission denied for {', '.join(name for (name,) in barred)}:"
            f" the user needs {', '.join(_RIGHTS)}"
        )


def warn_if_not_durable(connection: Connection, where: str) -> None:
    """Say once for each database that its commits may be lost."""
    if connection.fetch(_COMMIT)[0][0] == "off":
        _warn(where)


@cache
def _warn(where: str) -> None:
    logger.warning(
        "%s commits with synchronous_commit=off: if the server crashes, tasks that were"
        " accepted in the last moments before are lost",
        where,
    )
