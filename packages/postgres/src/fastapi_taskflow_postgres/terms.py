"""How transactions begin. Nothing is set for longer than one: poolers hand sessions around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Self


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a transaction: what begins it, and in how many seconds it is over."""

    seconds: float
    beginning: str

    @classmethod
    def writing(cls, seconds: float, schema: str | None) -> Self:
        """Terms for changes; names stand for tables of *schema*, or of the user's own."""
        # What is due is claimed in the order of its index. The planner thinks that few tasks
        # wait, of many that are finished, and would rather sort them all each time.
        return cls._of(
            seconds, schema, ["BEGIN ISOLATION LEVEL READ COMMITTED", "SET LOCAL enable_sort = off"]
        )

    @classmethod
    def reading(cls, seconds: float, schema: str | None) -> Self:
        """Terms for looking at one state of the data."""
        return cls._of(seconds, schema, ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"])

    @classmethod
    def _of(cls, seconds: float, schema: str | None, steps: Sequence[str]) -> Self:
        # The server also ends a transaction whose client is frozen or cut off: it would hold
        # up others by its locks.
        milliseconds = ceil(seconds * 1000)
        limits = [
            f"SET LOCAL statement_timeout = {milliseconds}",
            f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}",
        ]
        path = [] if schema is None else [f"SET LOCAL search_path = {quoted(schema)}"]
        return cls(seconds, "".join(f"{step}; " for step in (*steps, *limits, *path)))


def quoted(name: str) -> str:
    """A name as it stands in a statement that psycopg2 fills with values."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'
