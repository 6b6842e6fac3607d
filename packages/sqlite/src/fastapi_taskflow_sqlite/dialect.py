"""SQL as SQLite speaks it, from version 3.35 on."""

from __future__ import annotations

from fastapi_taskflow_sql import Dialect

SQLITE = Dialect(
    types={
        "id": "TEXT",
        "word": "TEXT",
        "name": "TEXT",
        "label": "TEXT",
        "text": "TEXT",
        "json": "TEXT",
        "int": "INTEGER",
        "bigint": "INTEGER",
        "real": "REAL",
        "flag": "INTEGER",
        "hash": "BLOB",
        "blob": "BLOB",
    },
    has_table="SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?",
    on_conflict="ON CONFLICT ({key}) DO UPDATE SET {sets}",
    old="{table}.{column}",
    new="excluded.{column}",
    on_conflict_keep="ON CONFLICT DO NOTHING",
    least="min",
    greatest="max",
    clustered_tail="WITHOUT ROWID",
    partial_indexes=True,
    prepared=True,
    max_parameters=8_000,  # a prepared statement takes memory for each of its rows
)
