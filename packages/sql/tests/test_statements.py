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


def test_prepared_statements_are_few() -> None:
    lengths = {
        len(chunk) for size in range(1, 1_000) for chunk in PREPARED.chunks(list(range(size)), 2)
    }
    assert lengths == {*range(1, 16), *range(16, 33, 2)}


def test_rows_are_filled_up_with_the_last_one() -> None:
    assert list(PREPARED.chunks(list(range(17)), 2)) == [[*range(17), 16]]


def test_other_placeholders_are_put_everywhere() -> None:
    sql = Statements(replace(SQLITE, placeholder="%s"))
    statement = sql.update(("status", "task_id", "epoch"), 1)
    assert statement.count("%s") == 4
    assert "?" not in statement


def test_what_an_update_is_not_told_becomes_null() -> None:
    statement = PREPARED.update(("status", "task_id", "epoch"), 2)
    assert "SET status = v.column1, start_time = NULL, end_time = NULL, " in statement


def test_a_database_without_values_is_given_a_union_of_its_own_types() -> None:
    update = Statements(replace(SQLITE, values=False)).update(("status", "task_id", "epoch"), 2)
    assert "VALUES" not in update
    assert "SELECT status AS column1, " in update
    assert update.count(" UNION ALL SELECT ?, ?, ") == 2
