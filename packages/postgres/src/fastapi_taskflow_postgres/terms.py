"""How transactions begin. Nothing is set for longer than one: poolers hand sessions around."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a transaction: what begins it, and in how many seconds it is over."""

    seconds: float
    beginning: str

    @classmethod
    def of(cls, seconds: float, mode: str, schema: str | None) -> Terms:
        """Terms for transactions of this *mode*, in which names stand for tables of *schema*.

        The server ends a statement that takes as long, and also a transaction whose client is
        frozen or cut off: it would hold up others by its locks.
        """
        milliseconds = ceil(seconds * 1000)
        steps = [
            f"BEGIN {mode}",
            f"SET LOCAL statement_timeout = {milliseconds}",
            f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}",
        ]
        if schema is not None:
            steps.append(f"SET LOCAL search_path = {quoted(schema)}")
        return cls(seconds, "; ".join(steps) + "; ")


def quoted(name: str) -> str:
    """A name as it stands in a statement that psycopg2 fills with values."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'
