"""The machine that this process runs on."""

from __future__ import annotations

from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str | None:
    """Which start of which machine this is; None where the system does not say."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return None
