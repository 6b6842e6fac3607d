"""Calls that happen once, at a time to come, under a key of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from fastapi_taskflow_core import checks
from fastapi_taskflow_core.backends.scheduling import Later, Turn
from fastapi_taskflow_core.dispatch import NewTask
from fastapi_taskflow_core.errors import NotStarted
from fastapi_taskflow_core.options import CALL_OPTION_NAMES, CallOptions
from fastapi_taskflow_core.schedules import Ground, OneOff, Runtime

_POSSIBLE = frozenset({"priority", "queue", "tags"})


class OneOffs:
    """Puts calls into the backend and takes them out again."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._clock = ground.surroundings.clock
        self._runtime = ground.runtime

    async def put(self, wanted: OneOff) -> str:
        """Store the call in place of the one that waits under its key; the task's id.

        Raises:
            RuntimeError: There is no backend that would keep it, or it is not open.
            TypeError, ValueError: An argument of the wrong kind, or one that makes no sense.
        """
        runtime = self._running("schedule_once")
        function = runtime.find(wanted.func)
        key = checks.key("run_key", wanted.run_key)
        arguments = dict(wanted.kwargs)
        said = (CALL_OPTION_NAMES & arguments.keys()) - function.own
        for name in said - _POSSIBLE:
            raise TypeError(
                f"{name} is not an option of schedule_once: those are"
                f" {', '.join(sorted(_POSSIBLE))}"
            )
        options = CallOptions(
            run_at=checks.moment("run_at", wanted.run_at),
            **{name: arguments.pop(name) for name in said},
        )
        function.check_keywords(arguments)
        new = NewTask(function, wanted.args, arguments, options, source="scheduled")
        task = runtime.for_anyone(new)
        await self._store.put_later(key, task, self._clock.now())
        if task.run_at is not None and task.run_at <= runtime.now():
            await runtime.sweep_now()
        return task.task_id

    async def drop(self, run_key: str) -> bool:
        """Cancel the call that waits under this key; False if there is none.

        Raises:
            RuntimeError: There is no backend that would keep it, or it is not open.
        """
        self._running("cancel_scheduled")
        key = checks.key("run_key", run_key)
        return await self._store.drop_later(key, self._clock.now()) is not None

    async def list(
        self, before: datetime | None, limit: int, after: Turn | None
    ) -> Sequence[Later]:
        """The calls that wait, the soonest first.

        Raises:
            RuntimeError: There is no backend that would keep them, or it is not open.
        """
        self._running("list_scheduled")
        until = None if before is None else checks.moment("before", before)
        return await self._store.later(until, limit, after)

    def _running(self, what: str) -> Runtime:
        if not self._store.capabilities.survives_restart:
            raise RuntimeError(
                f"{what} needs a backend that outlives the process:"
                " give TaskManager a snapshot_db or snapshot_backend"
            )
        return running(self._runtime, what)


def running(runtime: Callable[[], Runtime | None], action: str) -> Runtime:
    """The engine that runs now.

    Raises:
        NotStarted: None does.
    """
    found = runtime()
    if found is None:
        raise NotStarted(action)
    return found
