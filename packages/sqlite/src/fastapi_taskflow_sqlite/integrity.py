"""Whether a file is whole, before anything is written to it."""

from __future__ import annotations

import sqlite3

from fastapi_taskflow_core.errors import BackendMisconfigured

LARGEST = 128 * 1024 * 1024
"""Bytes that are checked in a tenth of a second; of a larger file damage shows when it is met."""


def refuse_damaged(reader: sqlite3.Connection, size: int, path: str) -> None:
    """Look through a file of so many bytes.

    Raises:
        BackendMisconfigured: It is damaged.
    """
    if size <= LARGEST:
        ((found,),) = reader.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            raise damaged(path, found)


def damaged(path: str, found: object) -> BackendMisconfigured:
    """What is said of a damaged file, and what can be done."""
    said = " ".join(str(found).split()).removeprefix("*** in database main *** ")
    return BackendMisconfigured(
        f"{path}: {said}. Nothing was changed; if it was a task database, restore a copy or try"
        " the .recover command of the sqlite3 program"
    )
