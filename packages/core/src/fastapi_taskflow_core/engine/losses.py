"""Tasks that are no longer ours to run, as the backend says when it does not take a change."""

from __future__ import annotations

import logging

from .live import Live, LiveTask, StopReason

logger = logging.getLogger(__name__)


class Losses:
    """Lets go of tasks without a word in their record: they are somebody else's."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def refused(self, task_id: str) -> None:
        """Another instance owns the task by now: drop it here."""
        task = self._live.get(task_id)
        if task is not None:
            logger.warning("task %s belongs to another instance by now; dropped here", task_id)
            self._lose(task)

    def duplicate(self, task_id: str, holder: str) -> None:
        """The task's key was taken: it never runs."""
        task = self._live.get(task_id)
        if task is not None:
            logger.info("task %s is a duplicate of %s and does not run", task_id, holder)
            self._lose(task)

    def _lose(self, task: LiveTask) -> None:
        task.end(StopReason.LOST)
        self._live.remove(task)
