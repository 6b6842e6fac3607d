"""The schema's version, and the steps from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from fastapi_taskflow_core.errors import SchemaTooNew

from . import statements
from .connection import Connection
from .schema import META, TABLES, Column, Index, Table
from .statements import Statements

Upgrade = Callable[[Statements], Iterable[str]]
"""The statements of one step. A step never changes after its release."""

UPGRADES: Sequence[Upgrade] = ()
"""The first one leads from version 1 to version 2."""


def stored_version(sql: Statements, connection: Connection) -> int:
    """The version of what is stored, 0 where there is nothing."""
    table = sql.prefix + META.name
    if not connection.fetch(sql.dialect.has_table, (table,))[0][0]:
        return 0
    rows = connection.fetch(sql.render(statements.VERSION))
    return int(rows[0][0]) if rows else 0


def refuse_newer(
    sql: Statements, connection: Connection, where: str, upgrades: Sequence[Upgrade] = UPGRADES
) -> int:
    """The version of what is stored, if it is known here.

    Raises:
        SchemaTooNew: it was written by a newer version of this package.
    """
    found, known = stored_version(sql, connection), 1 + len(upgrades)
    if found > known:
        raise SchemaTooNew(where, found, known)
    return found


def is_current(
    sql: Statements, connection: Connection, where: str, upgrades: Sequence[Upgrade] = UPGRADES
) -> bool:
    """Whether `migrate` has nothing to do.

    Raises:
        SchemaTooNew: it was written by a newer version of this package.
    """
    return refuse_newer(sql, connection, where, upgrades) == 1 + len(upgrades)


def migrate(
    sql: Statements, connection: Connection, where: str, upgrades: Sequence[Upgrade] = UPGRADES
) -> None:
    """Create the tables, or bring older ones up to date; *where* names them in errors.

    Raises:
        SchemaTooNew: written by a newer version; nothing was touched.
    """
    found, known = refuse_newer(sql, connection, where, upgrades), 1 + len(upgrades)
    if found == 0:
        for table in TABLES:
            for statement in create(sql, table):
                connection.execute(statement)
        connection.execute(sql.render(statements.ADD_VERSION), (str(known),))
    elif found < known:
        for upgrade in upgrades[found - 1 :]:
            for statement in upgrade(sql):
                connection.execute(statement)
        connection.execute(sql.render(statements.SET_VERSION), (str(known),))


def create(sql: Statements, table: Table) -> Iterator[str]:
    """The statements that create a table and its indexes."""
    dialect = sql.dialect
    columns = [_column(column, dialect.types[column.kind]) for column in table.columns]
    columns.append(f"PRIMARY KEY ({', '.join(table.key)})")
    tail = dialect.clustered_tail if table.clustered else dialect.table_tail
    yield f"CREATE TABLE {sql.prefix}{table.name} ({', '.join(columns)}) {tail}".rstrip()
    for index in table.indexes:
        yield _create_index(sql, table, index)


def _column(column: Column, kind: str) -> str:
    default = "" if column.default is None else f" DEFAULT {column.default}"
    return f"{column.name} {kind}{'' if column.null else ' NOT NULL'}{default}"


def _create_index(sql: Statements, table: Table, index: Index) -> str:
    unique = "UNIQUE " if index.unique else ""
    where = f" WHERE {index.where}" if index.where and sql.dialect.partial_indexes else ""
    return (
        f"CREATE {unique}INDEX {sql.prefix}{index.name} ON {sql.prefix}{table.name}"
        f" ({', '.join(index.columns)}){where}"
    )
