"""Weather that goes on and on, in which a backend keeps its contract all the same."""

from __future__ import annotations

from itertools import cycle

from .weather import Delay, Fault, Moment, Operation, Twice, Weather

_ANSWERED_ONCE = frozenset(
    {
        "beat",
        "change_setting",
        "claim",
        "delete",
        "drop_later",
        "fire",
        "put_later",
        "replace_payloads",
    }
)
"""Of these the second answer differs by design: a slot is settled once, a death told once."""
_LATE = 0.001


class Storm(Weather):
    """Operations are late by a moment, before they take effect or after, or done twice.

    They overlap in ways that they otherwise would not, and get there although the answer to
    their first attempt was lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gusts: cycle[Fault] = cycle(
            (Twice(), Delay(_LATE, Moment.BEFORE), Twice(), Delay(_LATE, Moment.AFTER))
        )

    def over(self, operation: Operation) -> Fault | None:
        """The fault that this operation meets."""
        gust = next(self._gusts)
        if isinstance(gust, Twice) and operation.name in _ANSWERED_ONCE:
            return None
        return gust
