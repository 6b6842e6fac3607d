"""Tasks for later: each waits on a timer for its hour, or for its next attempt."""

from __future__ import annotations

from collections.abc import Callable

from ..surroundings import Clock, Timer
from .live import LiveTask
from .patience import Patience
from .setbacks import Setbacks


class Delays:
    """Puts tasks off.

    Args:
        patience: Over when the engine drains: then whatever would be put off is given away.
    """

    def __init__(self, clock: Clock, patience: Patience, setbacks: Setbacks) -> None:
        self._clock = clock
        self._patience = patience
        self._setbacks = setbacks
        self._timers: dict[str, Timer] = {}

    def seconds(self, task: LiveTask) -> float:
        """Seconds until the task's hour; 0 or less if it may run now."""
        run_at = task.record.run_at
        return 0.0 if run_at is None else (run_at - self._clock.now()).total_seconds()

    def delayed(self, task: LiveTask) -> bool:
        """Whether the task is for later."""
        return self.seconds(task) > 0

    def put_off(self, task: LiveTask, seconds: float, then: Callable[[LiveTask], object]) -> None:
        """Call *then* with the task after so many seconds."""

        def due() -> None:
            del self._timers[task.record.task_id]
            then(task)

        if self._patience.over:
            self._setbacks.give_away(task)
        else:
            self._timers[task.record.task_id] = self._clock.call_later(seconds, due)

    def call_off(self, task: LiveTask) -> None:
        """The time of the task never comes. Safe for one that is not put off."""
        timer = self._timers.pop(task.record.task_id, None)
        if timer is not None:
            timer.cancel()

    def __len__(self) -> int:
        """How many tasks are put off."""
        return len(self._timers)

    def stop(self) -> None:
        """Call everything off."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
