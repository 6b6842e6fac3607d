"""How many may sign in at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

MOST_AT_ONCE = 8
"""A hash takes a third of a second or so: who comes last waits three seconds."""


class Crowd:
    """Those whose password is being looked at."""

    def __init__(self) -> None:
        self._inside = 0

    @property
    def full(self) -> bool:
        """Whether the next one would have to wait too long."""
        return self._inside >= MOST_AT_ONCE

    @contextmanager
    def joined(self) -> Iterator[None]:
        """One more, until it is known who it is."""
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
