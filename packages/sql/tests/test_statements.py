"""How rows are shared out among statements."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fastapi_taskflow_sql import Statements
from fastapi_taskflow_sqlite.dialect import SQLITE

PREPARED = Statements(replace(SQLITE, max_parameters=65))
FORMATTED = Statements(replace(SQLITE, max_parameters=65, prepared=False))


@pytest.mark.parametrize("sql", [PREPARED, FORMATTED])
@pytest.mark.parametrize("size", [*range(20), 63, 64, 65, 100])
def test_every_row_is_in_a_statement_once_but_for_fillers(sql: Statements, size: int) -> None:
    chunks = list(sql.chunks(list(range(size)), 2, filler=-1))
    assert [row for chunk in chunks for row in chunk if row >= 0] == list(range(size))
    assert all(len(chunk) <= 32 for chunk in chunks)
    assert sum(chunk.count(-1) for chunk in chunks) <= size / 8


@pytest.mark.parametrize("size", range(1, 100))
def test_prepared_statements_are_few(size: int) -> None:
    lengths = {len(chunk) for chunk in PREPARED.chunks(list(range(size)), 2)}
    assert lengths <= {1, 2, 4, 8, 16, 32}


def test_rows_are_filled_up_with_the_last_one() -> None:
    assert list(PREPARED.chunks(list(range(15)), 2)) == [[*range(15), 14]]


def test_other_placeholders_are_put_everywhere() -> None:
    sql = Statements(replace(SQLITE, placeholder="%s"))
    statement = sql.update(1)
    assert statement.count("%s") == 19
    assert "?" not in statement


def test_a_database_without_values_is_given_a_union_of_its_own_types() -> None:
    update = Statements(replace(SQLITE, values=False)).update(2)
    assert "VALUES" not in update
    assert "SELECT status AS column1, " in update
    assert update.count(" UNION ALL SELECT ?, ?, ") == 2
