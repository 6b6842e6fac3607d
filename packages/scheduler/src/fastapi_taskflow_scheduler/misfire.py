"""What becomes of the slots that are due: a pure decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi_taskflow_core.backends.scheduling import SlotOutcome
from fastapi_taskflow_core.schedules import Misfire, ScheduleOptions

_PUNCTUAL = 5.0
"""Seconds; who makes up for nothing still forgives this."""
_MISSED_SHOWN = 10
_MADE_UP_FOR = 1_000


@dataclass(frozen=True, slots=True)
class Due:
    """A slot whose time has come, so many seconds ago."""

    at: datetime
    late: float


def looked_at(misfire: Misfire) -> int:
    """How many of the slots that are due matter; of older ones nothing is kept."""
    return _MADE_UP_FOR if misfire == "all" else _MISSED_SHOWN


def judge(
    due: Sequence[Due], options: ScheduleOptions, waiting: datetime | None = None
) -> list[tuple[datetime, SlotOutcome]]:
    """What becomes of each slot, the oldest first.

    Args:
        due: The oldest first.
        options: Those of the schedule.
        waiting: The slot that has been waiting for the run before to end: it is not late,
            and one that comes after it takes its place.
    """
    grace = options.misfire_grace
    if grace is None and options.misfire == "skip":
        grace = _PUNCTUAL
    fates = [
        (
            slot.at,
            _fate(
                candidate=options.misfire == "all" or slot is due[-1],
                in_time=grace is None or slot.late <= grace or slot.at == waiting,
                waited=waiting is not None and slot.at >= waiting,
            ),
        )
        for slot in due
    ]
    missed = sum(fate is SlotOutcome.MISFIRED for _, fate in fates)
    # Those given up are the oldest.
    return fates[max(0, missed - _MISSED_SHOWN) :]


def _fate(*, candidate: bool, in_time: bool, waited: bool) -> SlotOutcome:
    if candidate and in_time:
        return SlotOutcome.FIRED
    return SlotOutcome.OVERLAPPED if waited else SlotOutcome.MISFIRED
