"""The moments at which a process can be told to die: the variable ``DIES`` names one."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from threading import Timer
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_taskflow_core.records import TaskStatus
from fastapi_taskflow_testkit.faults import Fail, Moment, Strike, Weather, end_of_process
from fastapi_taskflow_testkit.faults.weather import Call

BEFORE_COMMIT = "before the commit"
AFTER_COMMIT = "after the commit, before the answer"
AFTER_ANSWER = "after the answer"
START_ON_RECORD = "with the start on record, before the call"
FUNCTION_DONE = "with the function done"
BEFORE_RESULT = "before the commit of the result"
AFTER_TAKEOVER = "within half a second of a takeover"

_WRITES = {
    BEFORE_COMMIT: (Moment.BEFORE, TaskStatus.PENDING),
    AFTER_COMMIT: (Moment.AFTER, TaskStatus.PENDING),
    START_ON_RECORD: (Moment.AFTER, TaskStatus.RUNNING),
    BEFORE_RESULT: (Moment.BEFORE, TaskStatus.SUCCESS),
}
POINTS = (*_WRITES, AFTER_ANSWER, FUNCTION_DONE)
"""Those in the life of a task that nobody had before."""


@dataclass(frozen=True)
class Death:
    """What is to end this process, if anything is."""

    point: str | None = os.environ.get("DIES")
    end: Callable[[], object] = end_of_process

    def reached(self, point: str) -> None:
        """The application is at this point."""
        if point == self.point:
            self.end()

    def announce(self, weather: Weather) -> None:
        """If it is an operation of the storage that ends the process, let that be.

        Who is to die of a task of its own takes nothing over.
        """
        if self.point == AFTER_TAKEOVER:
            weather.bring(_Takeover(self.end), "claim", times=None)
        elif self.point is not None:
            weather.bring(Fail(Moment.BEFORE), "claim", times=None)
        if self.point in _WRITES:
            moment, status = _WRITES[self.point]
            weather.bring(Strike(moment, self.end), lambda operation: operation.writes(status))


@dataclass(frozen=True)
class _Takeover:
    """A claim that brings something ends the process a moment later."""

    end: Callable[[], object]

    async def __call__(self, call: Call) -> Any:
        claimed = await call()
        if claimed:
            Timer(random.uniform(0, 0.5), self.end).start()
        return claimed


class AfterAnswer:
    """Tells when an answer to a POST has gone out."""

    def __init__(self, app: ASGIApp, death: Death) -> None:
        self._app = app
        self._death = death

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""

        async def send_and_tell(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._death.reached(AFTER_ANSWER)

        asked = scope["type"] == "http" and scope["method"] == "POST"
        await self._app(scope, receive, send_and_tell if asked else send)
