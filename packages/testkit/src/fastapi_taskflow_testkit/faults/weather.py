"""Bad weather around a backend: its operations late, twice, lost, or the end of the process.

The product knows nothing of it. A backend is the seam: what reaches storage, and what comes
back, is cut there, before an operation takes effect or after it has.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from fastapi_taskflow_core.backends.base import Batch
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_core.records import TaskStatus

Call = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a backend, as it is asked for: its name, and its first argument."""

    name: str
    argument: object = None

    def writes(self, status: TaskStatus) -> bool:
        """Whether it stores a task in this status."""
        batch = self.argument
        return isinstance(batch, Batch) and any(
            task.status is status for tasks in (batch.inserts, batch.updates) for task in tasks
        )


class Moment(Enum):
    """Before an operation takes effect, or after it has and before anyone hears of it."""

    BEFORE = auto()
    AFTER = auto()


class Fault(Protocol):
    """What happens to an operation; *call* lets it take effect and gives its answer."""

    async def __call__(self, call: Call) -> Any:
        """The answer that its caller gets."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The caller is told that the storage is away; whether that is true, *moment* says."""

    moment: Moment

    async def __call__(self, call: Call) -> Any:
        """Never answers.

        Raises:
            BackendUnavailable: Always.
        """
        if self.moment is Moment.AFTER:
            await call()
        raise BackendUnavailable(f"bad weather, {self.moment.name.lower()} it took effect")


@dataclass(frozen=True, slots=True)
class Twice:
    """The first answer is lost, and the operation is asked for again."""

    async def __call__(self, call: Call) -> Any:
        """The second answer."""
        await call()
        return await call()


@dataclass(frozen=True, slots=True)
class Delay:
    """The operation takes *seconds* more."""

    seconds: float
    moment: Moment = Moment.BEFORE

    async def __call__(self, call: Call) -> Any:
        """Its own answer, late."""
        if self.moment is Moment.BEFORE:
            await asyncio.sleep(self.seconds)
            return await call()
        answer = await call()
        await asyncio.sleep(self.seconds)
        return answer


@dataclass(frozen=True, slots=True)
class Strike:
    """A deed done at that moment, such as `end_of_process`; then all goes on as if it were not."""

    moment: Moment
    deed: Callable[[], object]

    async def __call__(self, call: Call) -> Any:
        """Its own answer, if there is still somebody to hear it."""
        if self.moment is Moment.BEFORE:
            self.deed()
            return await call()
        answer = await call()
        self.deed()
        return answer


def end_of_process() -> None:
    """What SIGKILL does: nothing is flushed, closed or said."""
    os._exit(9)


@dataclass(slots=True)
class _Forecast:
    fault: Fault
    matches: Callable[[Operation], bool]
    skip: int
    times: int | None


class Weather:
    """Which operations meet which fault. What is announced first comes first."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        """The names of the operations that were asked for, in order."""
        self._forecasts: list[_Forecast] = []

    def bring(
        self,
        fault: Fault,
        matches: str | Callable[[Operation], bool] | None = None,
        *,
        skip: int = 0,
        times: int | None = 1,
    ) -> None:
        """Announce a fault.

        Args:
            fault: What happens.
            matches: To which operations: a name, or who tells; None is all of them.
            skip: How many such operations get by before.
            times: How many it happens to; None is all that follow.
        """
        if isinstance(matches, str):
            name = matches
            self._forecasts.append(_Forecast(fault, lambda it: it.name == name, skip, times))
        else:
            self._forecasts.append(_Forecast(fault, matches or _any, skip, times))

    def clear(self) -> None:
        """From now on nothing happens."""
        self._forecasts.clear()

    def over(self, operation: Operation) -> Fault | None:
        """The fault that this operation meets; it counts as met."""
        self.seen.append(operation.name)
        for forecast in self._due(operation):
            if forecast.skip:
                forecast.skip -= 1
                continue
            if forecast.times is not None:
                forecast.times -= 1
            return forecast.fault
        return None

    def _due(self, operation: Operation) -> Iterator[_Forecast]:
        return (it for it in self._forecasts if it.times != 0 and it.matches(operation))


def _any(operation: Operation) -> bool:  # noqa: ARG001  any
    return True
