"""Parts that are installed separately, found by entry points or registered by hand."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import entry_points

from .backends.base import Backend
from .errors import MissingExtra
from .schedules import Ground, Scheduler

GROUP = "fastapi_taskflow.backends"
PARTS = "fastapi_taskflow.parts"
_EXTRAS = {
    "redis": "redis",
    "rediss": "redis",
    "postgres": "postgres",
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}
_registered: dict[str, Callable[[str], Backend]] = {}


def register_backend(scheme: str, make: Callable[[str], Backend]) -> None:
    """Let ``scheme://...`` mean the backend that *make* makes of the whole URL."""
    _registered[scheme.lower()] = make


def backend_from_url(url: str) -> Backend:
    """The backend for a URL such as ``redis://localhost`` or ``sqlite:///tasks.db``.

    Raises:
        MissingExtra: The distribution that brings it is not installed.
        ValueError: No backend is known for the scheme.
    """
    scheme = url.partition("://")[0].lower()
    if "://" not in url:
        raise ValueError(
            "snapshot_backend must be a backend or a URL such as 'redis://localhost:6379/0'"
        )
    make = _registered.get(scheme)
    if make is None:
        make = _installed(scheme)
    return make(url)


def _installed(scheme: str) -> Callable[[str], Backend]:
    found = tuple(entry_points(group=GROUP, name=scheme))
    if found:
        make: Callable[[str], Backend] = found[0].load()
        return make
    if scheme in _EXTRAS:
        raise MissingExtra(f"the backend for {scheme}:// URLs", _EXTRAS[scheme])
    raise ValueError(f"no backend is known for {scheme}:// URLs")


def scheduler(ground: Ground) -> Scheduler:
    """The scheduler, on this ground.

    Raises:
        MissingExtra: It is not installed.
    """
    make = _scheduler_maker()
    if make is None:
        raise MissingExtra("the scheduler", "scheduler", distribution="fastapi-taskflow-scheduler")
    return make(ground)


def has_scheduler() -> bool:
    """Whether a scheduler is installed."""
    return _scheduler_maker() is not None


@functools.cache  # looking through all installed distributions takes its time
def _scheduler_maker() -> Callable[[Ground], Scheduler] | None:
    for found in entry_points(group=PARTS, name="scheduler"):
        make: Callable[[Ground], Scheduler] = found.load()
        return make
    return None
