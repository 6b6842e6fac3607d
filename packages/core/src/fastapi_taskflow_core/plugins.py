"""Parts that are installed separately, found by entry points or registered by hand."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from .backends.base import Backend
from .backends.guarded import GuardedBackend
from .errors import MissingExtra
from .sealing import Sealer
from .surroundings import Surroundings

if TYPE_CHECKING:
    from .schedules import Runtime, Scheduler

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


def scheduler(
    store: GuardedBackend, surroundings: Surroundings, runtime: Callable[[], Runtime | None]
) -> Scheduler:
    """The scheduler, on the ground of what the core lends it.

    Raises:
        MissingExtra: It is not installed.
    """
    from .schedules import Ground  # noqa: PLC0415  only applications with schedules need them

    ground = Ground(store, surroundings, runtime)
    made: Scheduler = _part("scheduler", "the scheduler")(ground)
    return made


def has_scheduler() -> bool:
    """Whether a scheduler is installed."""
    return _maker("scheduler") is not None


def sealer(keys: object) -> Sealer:
    """The encryption, with these keys.

    Raises:
        MissingExtra: It is not installed.
        TypeError, ValueError: The keys are none.
    """
    made: Sealer = _part("encryption", "the encryption of arguments")(keys)
    return made


def _part(name: str, what: str) -> Callable[..., Any]:
    make = _maker(name)
    if make is None:
        raise MissingExtra(what, name, distribution=f"fastapi-taskflow-{name}")
    return make


@functools.cache  # looking through all installed distributions takes its time
def _maker(name: str) -> Callable[..., Any] | None:
    for found in entry_points(group=PARTS, name=name):
        make: Callable[..., Any] = found.load()
        return make
    return None
