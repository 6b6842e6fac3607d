"""Inserting many rows with few statements.

A driver lets other threads run around every statement and may wait long until it goes on,
so a thousand rows in one statement cost the event loop far less than a thousand statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from .connection import Connection, Value
from .schema import Table
from .statements import Statements


def insert(
    sql: Statements,
    connection: Connection,
    table: Table,
    rows: Sequence[Sequence[Value]],
    *,
    columns: Sequence[str] = (),
    tail: str | None = None,
    filler: Sequence[Value] | None = None,
) -> int:
    """Insert *rows*, passing over those already there; how many rows were changed.

    Args:
        sql: the statements of the database.
        connection: where to.
        table: the table.
        rows: a value for each of the columns.
        columns: all columns of the table if empty.
        tail: what happens to rows already there instead.
        filler: a row that may be inserted any number of times more.
    """
    names = tuple(columns) or tuple(column.name for column in table.columns)
    end = sql.keep(names[0]) if tail is None else tail
    return sum(
        connection.execute(
            sql.insert(table.name, names, len(chunk), end), [*chain.from_iterable(chunk)]
        )
        for chunk in sql.chunks(rows, len(names), filler)
    )
