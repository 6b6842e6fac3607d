"""What is loaded when the application starts is no work for the garbage collector any more.

Python's collector looks through everything there is when enough of what is new has lived for
a while. Requests that wait for a commit together look like that under load: full collections
then come several times a second, each tens of milliseconds in which nothing runs, for objects
that were loaded at the start and stay until the end. `gc.freeze` takes those out of its sight.
"""

from __future__ import annotations

import gc

_BY_PYTHON = 1_000
"""Python 3.12 itself has some hundred objects set aside; an application has tens of thousands."""


class StartupHeap:
    """Set aside between start and stop, unless the application does that itself.

    Args:
        wanted: False leaves the collector alone.
    """

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._ours = False

    def set_aside(self) -> None:
        """What there is now is not looked through any more."""
        # Somebody may have set aside what there is, or have other plans with the collector.
        if self._wanted and gc.isenabled() and gc.get_freeze_count() < _BY_PYTHON:
            gc.collect(1)  # what has just become garbage; all of it would take long
            gc.freeze()
            self._ours = True

    def give_back(self) -> None:
        """All is as it was before. Twice is once."""
        if self._ours:
            self._ours = False
            gc.unfreeze()
