"""A process and all that come from it, wherever they have moved: Linux alone shows them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_DEAD, _STOPPED = {"Z", "X"}, {"T", "t"}


def family(pid: int) -> list[int]:
    """The living processes that descend from *pid*, itself first."""
    children: dict[int, list[int]] = {}
    for child, (state, parent) in _processes().items():
        if state not in _DEAD:
            children.setdefault(parent, []).append(child)
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def living(pids: list[int]) -> list[int]:
    """Those of the processes that have not ended."""
    processes = _processes()
    return [pid for pid in pids if pid in processes and processes[pid][0] not in _DEAD]


def moving(pids: list[int]) -> list[int]:
    """Those of the processes of which a thread has neither ended nor been stopped."""
    still = _DEAD | _STOPPED
    return [pid for pid in pids if not still.issuperset(_states_of_threads(pid))]


def _states_of_threads(pid: int) -> set[str]:
    states = set()
    for stat in Path("/proc").glob(f"{pid}/task/*/stat"):
        with suppress(OSError):
            states.add(stat.read_text().rpartition(")")[2].split()[0])
    return states


def _processes() -> dict[int, tuple[str, int]]:
    """State and parent of every process."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            found[int(stat.parent.name)] = (state, int(parent))
    return found
