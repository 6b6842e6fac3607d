"""SQL as PostgreSQL speaks it, from version 13 on, with psycopg2's placeholders."""

from __future__ import annotations

from fastapi_taskflow_sql import Dialect

POSTGRES = Dialect(
    types={
        "id": 'TEXT COLLATE "C"',
        "word": 'TEXT COLLATE "C"',
        "name": 'TEXT COLLATE "C"',
        "label": 'TEXT COLLATE "C"',
        "text": "TEXT",
        "json": "TEXT",
        "int": "INTEGER",
        "bigint": "BIGINT",
        "real": "DOUBLE PRECISION",
        "flag": "SMALLINT",
        "hash": "BYTEA",
        "blob": "BYTEA",
    },
    has_table=(
        "SELECT COUNT(*) FROM pg_catalog.pg_tables"
        " WHERE schemaname = current_schema() AND tablename = %s"
    ),
    on_conflict="ON CONFLICT ({key}) DO UPDATE SET {sets}",
    old="{table}.{column}",
    new="excluded.{column}",
    on_conflict_keep="ON CONFLICT DO NOTHING",
    placeholder="%s",
    modulo="MOD({a}, {b})",
    like="{column} ILIKE {p}",
    skip_locked=" FOR UPDATE SKIP LOCKED",
    for_update=" FOR UPDATE",
    partial_indexes=True,
    # A column in which all values are NULL has no type of its own.
    given_column="v.column{number}::{type}",
)
