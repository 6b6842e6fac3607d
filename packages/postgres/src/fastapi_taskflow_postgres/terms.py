"""How transactions begin. Nothing is set for longer than one: poolers hand sessions around."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from fastapi_taskflow_sql import Terms


def to_write(seconds: float, schema: str | None) -> Terms:
    """Terms for changes; names stand for tables of *schema*, or of the user's own."""
    # What is due is claimed in the order of its index. The planner thinks that few tasks
    # wait, of many that are finished, and would rather sort them all each time.
    return _terms(
        seconds, schema, ["BEGIN ISOLATION LEVEL READ COMMITTED", "SET LOCAL enable_sort = off"]
    )


def to_read(seconds: float, schema: str | None) -> Terms:
    """Terms for looking at one state of the data."""
    return _terms(seconds, schema, ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"])


def quoted(name: str) -> str:
    """A name as it stands in a statement that psycopg2 fills with values."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def _terms(seconds: float, schema: str | None, steps: Sequence[str]) -> Terms:
    # The server also ends a transaction whose client is frozen or cut off: it would hold
    # up others by its locks.
    milliseconds = ceil(seconds * 1000)
    limits = [
        f"SET LOCAL statement_timeout = {milliseconds}",
        f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}",
        # What we ask takes milliseconds: to compile it takes longer.
        "SET LOCAL jit = off",
    ]
    path = [] if schema is None else [f"SET LOCAL search_path = {quoted(schema)}"]
    return Terms(seconds, "".join(f"{step}; " for step in (*steps, *limits, *path)))
