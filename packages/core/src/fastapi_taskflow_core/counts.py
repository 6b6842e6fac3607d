"""How many tasks ended or stand in each status: all that lists and the stream tell of figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from .backends.base import Unfinished
from .records import TaskStatus
from .rollups import RollupKey, RollupValue

STATUSES = {status.value: status for status in TaskStatus}
"""By the event that a roll-up counts."""

Counts = Mapping[TaskStatus, int]
"""How many tasks ended or stand in each status, zeros included."""


def by_function(
    rollups: Mapping[RollupKey, RollupValue], unfinished: Mapping[Unfinished, int]
) -> dict[str, Counts]:
    """The ``counts`` of each function in `Metrics`, without the work that durations are."""
    counted: defaultdict[str, dict[TaskStatus, int]]
    counted = defaultdict(lambda: dict.fromkeys(TaskStatus, 0))
    for key, value in rollups.items():
        status = STATUSES.get(key.event)
        if status is not None:
            counted[key.func_name][status] += value.n
    for group, n in unfinished.items():
        counted[group.func_name][group.status] += n
    return {name: counted[name] for name in sorted(counted)}


def together(several: Iterable[Counts]) -> Counts:
    """The sum of several counts."""
    summed = dict.fromkeys(TaskStatus, 0)
    for each in several:
        for status, n in each.items():
            summed[status] += n
    return summed
