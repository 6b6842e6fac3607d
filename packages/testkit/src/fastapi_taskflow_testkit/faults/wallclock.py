"""A wall clock of its own for one process, by libfaketime (apt: ``libfaketime``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_PLACES = (
    "/usr/lib/*/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
)


def library() -> Path | None:
    """Where libfaketime is installed; None if it is not."""
    found = (path for place in _PLACES for path in Path("/").glob(place.removeprefix("/")))
    return next(found, None)


class WallClock:
    """What the processes that get its environment take for the time of day.

    Their monotonic clock, and that since the start of the machine, go on as they are, as
    they do when an administrator or NTP sets the time.

    Args:
        file: A file of its own in which the difference is kept.
        seconds: How far ahead of ours it is at first; negative is behind.

    Raises:
        LookupError: libfaketime is not installed; see `library`.
    """

    def __init__(self, file: Path, seconds: float = 0.0) -> None:
        found = library()
        if found is None:
            raise LookupError("libfaketime is not installed (apt: libfaketime)")
        self._file = file
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(found),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        """What to start a process with."""
        self.jump(seconds)

    def jump(self, seconds: float) -> None:
        """Set it to so many seconds ahead of ours, for running processes too."""
        fresh = self._file.with_name(self._file.name + ".new")
        fresh.write_text(f"{seconds:+g}\n")
        fresh.replace(self._file)  # nobody reads half of it
