"""The schema's version, and the steps from one to the next.

How far a step has come is noted after each of its statements, in the transaction of the
statement. Where a transaction holds the whole change nobody ever sees such a note. Where a change
of the schema commits by itself, as in MySQL, a process that ends half way leaves one, and the next
start goes on behind it. The statement there may have been done and not noted: if the server says
that what it makes is there, or that what it removes is not, it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from fastapi_taskflow_core.errors import SchemaTooNew

from . import statements
from .connection import Connection
from .schema import META, TABLES, Column, Index, Table
from .statements import Statements

Upgrade = Callable[[Statements], Iterable[str]]
"""The statements of one step. A step never changes after its release, as starts go on in it."""

UPGRADES: Sequence[Upgrade] = ()
"""The first one leads from version 1 to version 2."""

_DONE = "done"
"""The name of the note of how many statements of the step behind the version are done."""


def _never(_: Exception) -> bool:
    return False


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
    sql: Statements,
    connection: Connection,
    where: str,
    upgrades: Sequence[Upgrade] = UPGRADES,
    was_done: Callable[[Exception], bool] = _never,
) -> None:
    """Create the tables, or bring older ones up to date; *where* names them in errors.

    *was_done* tells whether a change of the schema was refused because it had been made before.

    Raises:
        SchemaTooNew: written by a newer version; nothing was touched.
    """
    found, known = refuse_newer(sql, connection, where, upgrades), 1 + len(upgrades)
    if found == 0:
        for table in TABLES:
            for statement in create(sql, table):
                connection.execute(statement)
        connection.execute(sql.render(statements.ADD_VERSION), (str(known),))
        return
    for version in range(found, known):
        _climb(sql, connection, list(upgrades[version - 1](sql)), was_done)
        connection.execute(sql.render(statements.SET_VERSION), (str(version + 1),))
        connection.execute(sql.render(statements.DROP_NOTE), (_DONE,))


def _climb(
    sql: Statements,
    connection: Connection,
    step: Sequence[str],
    was_done: Callable[[Exception], bool],
) -> None:
    """Run what is not noted as done."""
    note = sql.insert(META.name, ("name", "value"), 1, sql.merge(META, [("value", "{new}")]))
    noted = connection.fetch(sql.render(statements.NOTE), (_DONE,))
    first = int(noted[0][0]) if noted else 0
    for number, statement in enumerate(step[first:], start=first):
        try:
            connection.execute(statement)
        except Exception as error:
            if number != first or not was_done(error):
                raise
        connection.execute(note, (_DONE, str(number + 1)))


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
