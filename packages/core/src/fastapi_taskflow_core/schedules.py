"""What a scheduler is to the core, and the core to it. The scheduler is installed separately."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, get_args

from . import checks
from .backends.guarded import GuardedBackend
from .backends.scheduling import Later, Slot, Turn
from .dispatch import NewTask
from .records import TaskRecord
from .registry import TaskFunction
from .surroundings import Surroundings

Misfire = Literal["latest", "all", "skip"]
"""Which of the slots that nobody could run in time are made up for."""
Overlap = Literal["allow", "skip", "queue"]
"""What becomes of a slot whose predecessor's run is not over."""


@dataclass(frozen=True, slots=True)
class ScheduleOptions:
    """When a function runs by itself; exactly one of ``every`` and ``cron``.

    Args:
        every: Seconds between slots, which are its multiples since the Unix epoch.
        cron: Five fields, or ``@daily`` and the like.
        timezone: IANA name of the zone that ``cron`` speaks of.
        jitter: Each slot is late by up to so many seconds, the same on every instance.
        misfire: Of the slots missed, run the latest, all, or none.
        misfire_grace: Seconds after which a missed slot is given up; None is never, and 5
            seconds for ``misfire="skip"``.
        overlap: While the run before is not over, run all the same, skip the slot, or wait.
        start: No slot before this time (aware).
        end: No slot after this time (aware).
        run_on_startup: Run once when the application starts, too.
    """

    every: float | None = None
    cron: str | None = None
    timezone: str = "UTC"
    jitter: float = 0.0
    misfire: Misfire = "latest"
    misfire_grace: float | None = None
    overlap: Overlap = "allow"
    start: datetime | None = None
    end: datetime | None = None
    run_on_startup: bool = False

    def __post_init__(self) -> None:
        if (self.every is None) == (self.cron is None):
            given = "neither" if self.every is None else "both"
            raise ValueError(f"schedule needs exactly one of every= and cron=, got {given}")
        if self.every is not None:
            checks.seconds("every", self.every, zero=False)
        if self.cron is not None:
            checks.text("cron", self.cron)
        checks.text("timezone", self.timezone)
        checks.seconds("jitter", self.jitter)
        checks.one_of("misfire", self.misfire, get_args(Misfire))
        if self.misfire_grace is not None:
            checks.seconds("misfire_grace", self.misfire_grace)
        checks.one_of("overlap", self.overlap, get_args(Overlap))
        checks.flag("run_on_startup", self.run_on_startup)
        for name in ("start", "end"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, checks.moment(name, getattr(self, name)))
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError(f"end must not be before start ({self.start}), got {self.end}")


@dataclass(frozen=True, slots=True)
class ScheduleInfo:
    """A schedule as it stands."""

    name: str
    """The task's name."""
    words: str
    """When it runs, in English."""
    expression: str
    """When it runs, as it was written."""
    timezone: str
    paused: bool
    next: Sequence[datetime]
    """The next five slots, soonest first, aware UTC; fewer if it ends before."""
    last: Sequence[Slot]
    """The slots settled last, newest first."""
    options: ScheduleOptions


@dataclass(frozen=True, slots=True)
class OneOff:
    """A call that is to happen once, at ``run_at``, under a key of the caller's."""

    func: Callable[..., Any]
    run_at: datetime
    run_key: str
    args: tuple[Any, ...] = field(default=(), repr=False)
    kwargs: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Runtime(Protocol):
    """What a scheduler asks of the engine."""

    @property
    def instance(self) -> str:
        """The id of this instance."""

    @property
    def draining(self) -> bool:
        """Whether nothing new starts any more."""

    def now(self) -> datetime:
        """The backend's clock, aware UTC."""

    def find(self, func: Callable[..., Any]) -> TaskFunction:
        """The function as it is registered."""

    def for_anyone(self, new: NewTask) -> TaskRecord:
        """The record of a new task that has no owner: who stores it hands it to all."""

    async def sweep_now(self) -> None:
        """Let this instance claim at once what waits for anyone."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the core lends a scheduler for good."""

    store: GuardedBackend
    surroundings: Surroundings
    runtime: Callable[[], Runtime | None]
    """The engine that runs now; None while the manager is not started."""


class Scheduler(Protocol):
    """What the core asks of a scheduler, and users through ``TaskManager.schedules``."""

    def plan(self, options: ScheduleOptions) -> Callable[[TaskFunction], None]:
        """See that the options make sense; what is returned lets a function follow them.

        Raises:
            ValueError: They do not, or (by what is returned) the function has a schedule.
            MissingExtra: They need a distribution that is not installed.
        """

    def start(self) -> None:
        """Begin to fire slots, on the running event loop."""

    async def stop(self) -> None:
        """Fire no more. Safe before `start`, and twice."""

    async def list(self, history: int = 20) -> Sequence[ScheduleInfo]:
        """Every schedule of this process by name, each with so many of its last slots."""

    async def get(self, name: str, history: int = 20) -> ScheduleInfo:
        """One schedule. Raises `ScheduleNotFound`."""

    async def pause(self, name: str) -> None:
        """Skip its slots on every instance, until `resume`. Raises `ScheduleNotFound`."""

    async def resume(self, name: str) -> None:
        """Run it again, from the next slot on. Raises `ScheduleNotFound`."""

    async def run(self, name: str) -> str:
        """Run it now, paused or not; returns the task's id. Raises `ScheduleNotFound`."""

    async def put_later(self, wanted: OneOff) -> str:
        """Store a one-off in place of the one that waits under its key; the task's id."""

    async def drop_later(self, run_key: str) -> bool:
        """Cancel the one-off that waits under this key; False if there is none."""

    async def later(
        self, before: datetime | None = None, limit: int = 200, after: Turn | None = None
    ) -> Sequence[Later]:
        """One-offs that wait, the soonest first; with *after* those of later turns."""


def check_callable_alone(func: Callable[..., Any]) -> None:
    """See that the function can be called without arguments.

    Raises:
        TypeError: It cannot be called at all.
        ValueError: It needs an argument, which a schedule cannot give.
    """
    checks.function("func", func)
    try:
        signature = inspect.signature(func)
    except (TypeError, ValueError):  # builtins without a signature
        return
    try:
        signature.bind()
    except TypeError as error:
        name = getattr(func, "__name__", repr(func))
        raise ValueError(
            f"a scheduled function is called without arguments, and {name}() is {error}:"
            " give the parameter a default"
        ) from None
