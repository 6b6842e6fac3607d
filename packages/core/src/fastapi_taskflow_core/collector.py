"""Python's garbage collector is given less to do between start and stop.

The collector looks through what is new whenever some hundred objects more have been made than
freed, and through everything there is when enough of what is new has lived for a while. Requests
that wait for a commit together look like that under load, and so do finished tasks until they are
written, or as history in memory: nothing of them is garbage. Full collections then come up to
several times a second, each tens of milliseconds in which nothing runs, for objects that were
loaded at the start and stay until the end: `gc.freeze` takes those out of its sight. And it looks
for garbage less often: some requests more fit into that.
"""

from __future__ import annotations

import gc

_FROZEN_BY_PYTHON = 1_000
"""Python 3.12 itself has some hundred objects set aside; an application has tens of thousands."""
_THRESHOLDS_OF_PYTHON = frozenset({700, 2_000})
"""So many more objects made than freed let Python look for garbage, up to 3.12 and from 3.13 on."""
_THRESHOLD = 10_000
"""So many with us: a hundred waiting requests, or a few megabytes that are freed a little later."""


class Collector:
    """The garbage collector, eased unless the application sees to it itself.

    Args:
        wanted: False leaves the collector alone.
    """

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._before: tuple[int, int, int] | None = None
        """The thresholds that there were, while it is eased."""

    def ease(self) -> None:
        """What there is now is not looked through any more, and what comes less often."""
        # Somebody may have set aside what there is, or have other plans with the collector.
        if self._wanted and gc.isenabled() and gc.get_freeze_count() < _FROZEN_BY_PYTHON:
            gc.collect(1)  # what has just become garbage; all of it would take long
            gc.freeze()
            self._before = gc.get_threshold()
            if self._before[0] in _THRESHOLDS_OF_PYTHON:
                gc.set_threshold(_THRESHOLD, *self._before[1:])

    def give_back(self) -> None:
        """All is as it was before. Twice is once."""
        before, self._before = self._before, None
        if before is not None:
            gc.unfreeze()
            if gc.get_threshold()[0] == _THRESHOLD:
                gc.set_threshold(*before)
