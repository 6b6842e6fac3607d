"""What a host can tell of its instances besides their beats."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Protocol
from urllib.parse import quote

from ..host import boot_id

if sys.platform != "win32":
    from .lockfiles import LockFiles


class Presence(Protocol):
    """Knows of instances whose process is gone, before their lease has run out."""

    def hold(self, instance: str) -> None:
        """Show that the instance lives, for as long as this process does. Twice is once."""

    def release(self, instance: str) -> None:
        """Stop showing it. Twice is once."""

    def release_all(self) -> None:
        """Let go of all that this object holds, as the end of the process would."""

    def gone(self, instance: str) -> bool:
        """Whether its process is known to be gone, however long its lease still is."""

    def all_gone(self) -> Sequence[str]:
        """Every instance whose process is known to be gone."""

    def forget(self, instance: str) -> None:
        """Tidy up after an instance that is dead."""


class BeatsOnly:
    """Knows nothing: there are only the beats."""

    def hold(self, instance: str) -> None:
        """Nothing to show."""

    def release(self, instance: str) -> None:
        """Nothing to stop."""

    def release_all(self) -> None:
        """Nothing to let go of."""

    def gone(self, instance: str) -> bool:  # noqa: ARG002  part of the protocol
        """Never known."""
        return False

    def all_gone(self) -> Sequence[str]:
        """Never known."""
        return ()

    def forget(self, instance: str) -> None:
        """Nothing to tidy up."""


def presence_in(folder: Path) -> Presence:
    """Locked files in a folder, where the system has such locks."""
    if sys.platform == "win32":
        return BeatsOnly()
    return LockFiles(folder)


def presence_on_host(place: str) -> Presence:
    """Locked files of all processes of this user on this host that name *place* alike.

    They are below the temporary directory, in a folder for this start of this machine: one
    that several machines share must not show files whose locks are known to another.
    """
    if sys.platform == "win32":
        return BeatsOnly()
    try:
        below = Path(gettempdir())
    except OSError:  # there is none that can be written
        return BeatsOnly()
    machine = boot_id() or quote(socket.gethostname(), safe="")
    family = sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    folder = below / f"taskflow-{os.geteuid()}-{machine}"
    return LockFiles(folder, f"{family}-", private=True)
