"""Disks that are full, and files that cannot grow."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PIECE = b"\0" * 4096


class SmallDisk:
    """A file system in memory that is soon full.

    Args:
        folder: Where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> int:
        """Leave no room; how many bytes that took."""
        written = 0
        with self._filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                written += file.write(_PIECE)
        return written

    def free(self) -> None:
        """Give back what `fill` took. Twice is once."""
        self._filler.unlink(missing_ok=True)


def can_mount() -> bool:
    """Whether this process may make a small disk: on Linux, as root."""
    return sys.platform == "linux" and os.geteuid() == 0


@contextmanager
def small_disk(folder: Path, size: int = 2 * 1024 * 1024) -> Iterator[SmallDisk]:
    """A disk of so many bytes, mounted on the empty *folder*.

    Raises:
        OSError: It cannot be mounted; see `can_mount`.
    """
    target = str(folder)
    try:
        subprocess.run(  # noqa: S603  our own arguments
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", target],  # noqa: S607  as in PATH
            check=True,
            capture_output=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        raise OSError(f"no disk can be mounted on {target}: {error.stderr.strip()}") from error
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily: whoever still has a file open keeps it, and nobody else sees it.
        subprocess.run(["umount", "-l", target], check=True)  # noqa: S603, S607


@contextmanager
def write_errors(pid: int, beyond: int = 0) -> Iterator[None]:
    """Writes of a process behind the first *beyond* bytes of any file fail meanwhile.

    It is told EFBIG, which programs take for what they take any unforeseen error of a disk.
    Python ignores the signal that comes with it; other programs may die of it. Linux only.
    """
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (beyond, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
