"""What differs from one SQL database to the next, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .schema import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The spelling of one database. Templates are for `str.format`."""

    types: Mapping[Kind, str]
    """The column type of each kind."""
    has_table: str
    """A query of how many tables have the name that is its one parameter."""
    on_conflict: str
    """The tail of an insert that changes the row with the same ``{key}`` by ``{sets}``."""
    old: str
    """In such a tail, the stored ``{column}`` of ``{table}``."""
    new: str
    """In such a tail, the ``{column}`` that was to be inserted."""
    on_conflict_keep: str
    """The tail of an insert that passes over rows already there, whatever key they share.
    ``{first}`` is the first column. Rows passed over do not count as changed."""
    placeholder: str = "?"
    least: str = "LEAST"
    greatest: str = "GREATEST"
    modulo: str = "{a} % {b}"
    like: str = "{column} LIKE {p}"
    """A match that is blind to the case of ASCII letters; an ``ESCAPE`` may follow."""
    skip_locked: str = ""
    """The tail of a select that locks its rows and passes over those locked by others."""
    for_update: str = ""
    """The tail of a select that locks its rows."""
    table_tail: str = ""
    clustered_tail: str = ""
    """The tail of ``CREATE TABLE``, for other and for clustered tables."""
    partial_indexes: bool = False
    update_many: str = "UPDATE {tasks} SET {sets} FROM ({given}) AS v WHERE {where}"
    """An update of many rows by the table ``v`` of what is ``{given}``."""
    values: bool = True
    """Whether ``VALUES`` is such a table, its columns called ``column1`` and so on."""
    given_column: str = "v.column{number}"
    """The ``{number}``-th column of that table, from 1, for a column of ``{type}``."""
    prepared: bool = False
    """Whether the driver keeps statements prepared, so that few different ones are best.
    A row that is repeated within an insert or update must then be harmless."""
    max_parameters: int = 30_000
    """How many parameters one statement may have."""
