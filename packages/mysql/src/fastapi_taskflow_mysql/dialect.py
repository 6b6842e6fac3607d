"""SQL as MySQL (from 8.0 on) and MariaDB (from 10.6 on) both speak it."""

from __future__ import annotations

from fastapi_taskflow_sql import Dialect

MYSQL = Dialect(
    types={
        "id": "VARCHAR(128)",
        "word": "VARCHAR(32)",
        "name": "VARCHAR(200)",
        "label": "VARCHAR(520)",
        "text": "LONGTEXT",
        "json": "LONGTEXT",
        "int": "INTEGER",
        "bigint": "BIGINT",
        "real": "DOUBLE",
        "flag": "SMALLINT",
        "hash": "BINARY(32)",
        "blob": "LONGBLOB",
    },
    has_table=(
        "SELECT COUNT(*) FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_name = %s"
    ),
    on_conflict="ON DUPLICATE KEY UPDATE {sets}",
    old="{table}.{column}",
    new="VALUES({column})",
    # INSERT IGNORE would cut off what is too long, too. This changes nothing, and the number
    # that the server hands back with it says that a row was there already: see `session`.
    on_conflict_keep="ON DUPLICATE KEY UPDATE {first} = IF(LAST_INSERT_ID(1), {first}, {first})",
    placeholder="%s",
    modulo="MOD({a}, {b})",
    like="LOWER({column}) LIKE LOWER({p})",
    skip_locked=" FOR UPDATE SKIP LOCKED",
    for_update=" FOR UPDATE",
    # MariaDB and MySQL agree on no spelling of VALUES as a table. In this order, so that each
    # row given looks for its task rather than each task for its row.
    update_many="UPDATE ({given}) AS v STRAIGHT_JOIN {tasks} SET {sets} WHERE {where}",
    values=False,
    # Some 200 tasks a statement: a union of a thousand parts is no faster.
    max_parameters=4_000,
)

MARIADB_TAIL = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin"
MYSQL_TAIL = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin"
"""The tail of ``CREATE TABLE``: texts differ by every byte, spaces at their end too."""
