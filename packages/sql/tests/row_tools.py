"""What several test files ask of rows."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi_taskflow_core.records import TaskRecord
from fastapi_taskflow_sql import rows


def row_of(record: TaskRecord, columns: Sequence[str]) -> dict[str, object]:
    """What is written of one record."""
    held, (row,) = rows.to_rows([record], columns)
    return dict(zip(held, row, strict=True))


def read(values: dict[str, object]) -> TaskRecord:
    """The record of these values, with NULL for what is left out."""
    return rows.from_row(tuple(values.get(name) for name in rows.RECORD_COLUMNS))
